// What a compliance suite needs beside the port: a way to let time pass, and an end.

/** One for each test; a twin gives a fresh world. */
export type PortWorld<Port> = {
  readonly port: Port
  /** Lets `ms` milliseconds of the port's own time pass. What was due by then has run when it resolves. */
  advance(ms: number): Promise<void>
  /** Settles as `promise` does; lets time pass until then, as far as that takes. */
  run<T>(promise: Promise<T>): Promise<T>
  /** Ends the world. What the test left open is closed. */
  close(): Promise<void>
}

export type MakeWorld<World> = () => World | Promise<World>

/** Runs `use` in a world of its own. */
export async function inWorld<World extends PortWorld<unknown>>(
  makeWorld: MakeWorld<World>,
  use: (world: World) => Promise<void>,
): Promise<void> {
  const world = await makeWorld()
  try {
    await use(world)
  } finally {
    await world.close()
  }
}
