// The door of the recording.
export { type History, type RecordOptions, recordHistory } from './history.ts'
