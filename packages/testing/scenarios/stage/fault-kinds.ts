// Names of what can go wrong around a broker. Leaves: names; nemesis.ts knows what each of them does.

export const FAULT_KINDS = [
  'kill',
  'power-cut',
  'cut-on-ack',
  'cut-on-admin',
  'lose-answers',
  'restart',
  'stall',
  'fill',
  'fail-sync',
  'disconnect',
  'cut-link',
  'slow-link',
  'thin-link',
  'clog',
  'loss',
  'half-open',
  'mute',
  'pause',
  'clock-jump',
  'fail-write',
  'fail-read',
  'fail-directory-sync',
  'rot-index',
] as const
/** One broker cannot mend these: it says so, and never lies. */
export const BEYOND_TOLERANCE = ['rot'] as const
export const ALL_FAULT_KINDS = [...FAULT_KINDS, ...BEYOND_TOLERANCE]
export type FaultKind = (typeof ALL_FAULT_KINDS)[number]

export type FaultPlan = { readonly kind: FaultKind; readonly meanMs: number }
