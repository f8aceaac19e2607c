// The front door of the command line: for those who run it in a process of their own.
export { main } from './main.ts'
