// The door of the command line: what may be typed.
export { commandLine } from './command-line.ts'
