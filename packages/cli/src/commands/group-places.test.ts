// The lines of a file of places.
import { expect, test } from 'vitest'
import { placeOf } from './group-places.ts'

test('lines as other tools write them, and as group lag and group seek print them', () => {
  const place = { topic: 'orders', partition: 3, nextOffset: 17 }
  for (const line of [
    'orders,3,17',
    '"orders",3,17',
    '{"topic":"orders","partition":3,"nextOffset":17,"committed":2}',
    '{"topic":"orders","partition":3,"committed":17}',
  ])
    expect(placeOf(line)).toEqual(place)
})

test('whatever else is no place', () => {
  for (const line of ['orders,3', 'orders,x,1', '{"topic":"orders"}', '{', 'orders,3,-1'])
    expect(placeOf(line)).toBeUndefined()
})
