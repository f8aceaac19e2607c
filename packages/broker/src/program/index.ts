// The door of the program room: what happens between the command line and startBroker().
export { main } from './main.ts'
