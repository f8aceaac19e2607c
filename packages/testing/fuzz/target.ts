// What a fuzz target is: where its inputs come from, and what must hold for each.
// Enters: bytes. Leaves: the name of what they were answered with; an error thrown is a finding.
import type { Dice } from './dice.ts'

export type Target = {
  readonly name: string
  /** Its part of a whole run, in thousandths. */
  readonly share: number
  /** Inputs that one session takes. */
  readonly sessionSize: number
  /** Inputs between two looks at whether everybody else is still served. */
  readonly checkEvery: number
  /** Of the process that runs it, everything included. */
  readonly rssBytesMax: number
  /** Valid inputs, made by our own code: what mutations start from, besides the kept corpus. */
  seeds(): Promise<readonly Buffer[]>
  /** The same dice give the same input. */
  generate(dice: Dice, seeds: readonly Buffer[]): Buffer
  open(seed: number): Promise<Session>
}

export type Session = {
  /** `accepted`, or the name of the error that it was refused with. Throws a Finding, or whatever a crash threw. */
  feed(input: Buffer): Promise<string> | string
  /** Throws where somebody well-behaved is not served any more. */
  check(): Promise<void>
  /** Throws where something is left over. */
  close(): Promise<void>
}

export const ACCEPTED = 'accepted'

/** Something that must not be. */
export class Finding extends Error {
  override name = 'Finding'
}
