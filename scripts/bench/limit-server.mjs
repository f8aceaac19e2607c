// The limit: what a bare Node program reaches that only moves bytes from a socket to a file. No frames, no checks, no sync.
// `node limit-server.mjs FILE`: prints its port; for each connection writes what comes, answers one byte at its end.
import { openSync, writeSync } from 'node:fs'
import { createServer } from 'node:net'

const file = openSync(process.argv[2], 'w')
const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  let position = 0
  socket.on('data', (chunk) => {
    writeSync(file, chunk, 0, chunk.length, position)
    position += chunk.length
  })
  socket.on('end', () => socket.end('.'))
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.on('SIGTERM', () => process.exit(0))
