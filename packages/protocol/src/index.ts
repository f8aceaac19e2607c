// The front door of `protocol`.
export type { ApiName, Apis } from './apis/index.ts'
export { apis } from './apis/index.ts'
export type { Api, Field, Fields, FieldType, RequestOf, ResponseOf, Struct } from './define.ts'
export type { ErrorFields, ErrorName, ErrorRow } from './errors.ts'
export { errorCode, errorName, errorRow, errors, isMinikafkaError, MinikafkaError } from './errors.ts'
