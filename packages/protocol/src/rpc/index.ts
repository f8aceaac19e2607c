// The door of rpc: typed calls over a Socket, both ends.
export type { CallOptions, ConnectionOptions } from './connection.ts'
export { Connection } from './connection.ts'
export { FramePool } from './frame-pool.ts'
export { CallHolding, Holding } from './holding.ts'
export type { ServerLimits } from './limits.ts'
export { SERVER_LIMITS } from './limits.ts'
export { RpcServer } from './server.ts'
export type {
  AnyResponse,
  CallMemory,
  CallOutcome,
  HangUp,
  MemoryAccount,
  RefusalReason,
  ServerCall,
  ServerConnection,
  Service,
} from './service.ts'
