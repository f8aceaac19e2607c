import { expect, test } from 'vitest'
import { cutWidths, fitTable } from './table-fit.ts'

test('a table that fits stays as it is', () => {
  expect(cutWidths([20, 5, 30], ['cut', undefined, 'cut'], 59)).toEqual([20, 5, 30])
})

test('the widest names give way first, and keep a part that can be known', () => {
  expect(cutWidths([40, 36, 9], ['cut', 'cut', undefined], 73)).toEqual([30, 30, 9])
  expect(cutWidths([40, 9], ['cut', undefined], 10)).toEqual([12, 9])
})

const TITLES = ['SETTING', 'ABOUT']
const ROWS = [
  ['flush', 'nothing is committed before an fdatasync covers it'],
  ['a.setting.with.a.long.name', 'short'],
]

test('a sentence is wrapped where enough is left for it', () => {
  expect(fitTable(TITLES, ROWS, [undefined, 'wrap'], 54)).toEqual({
    rows: [
      ['flush', 'nothing is committed\nbefore an fdatasync covers\nit'],
      ['a.setting.with.a.long.name', 'short'],
    ],
    below: undefined,
  })
})

test('where too little is left sentences stand below their rows', () => {
  expect(fitTable(TITLES, ROWS, ['cut', 'wrap'], 40)).toEqual({
    rows: [['flush'], ['a.setting.with.a.long.name']],
    below: [['    nothing is committed before an', '    fdatasync covers it'], ['    short']],
  })
  expect(fitTable(TITLES, ROWS, ['cut', 'wrap'], 20).rows).toEqual([
    ['flush'],
    ['a.setting.…long.name'],
  ])
})

test('without an edge everything is whole', () => {
  const rows = [['a'.repeat(300), 'b '.repeat(300)]]
  expect(fitTable(TITLES, rows, ['cut', 'wrap'], Number.POSITIVE_INFINITY)).toEqual({
    rows,
    below: undefined,
  })
})
