import { expect, test, vi } from 'vitest'
import { createGroupCommit, type Entry, type Stored } from './group-commit.ts'

const entry: Entry = { message: {}, event: { id: '1', type: 'changed', payload: null }, content: '' }

test('an event whose commit lost its answer is held and stored again, although the database answers every probe', async () => {
  const lost = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  const store = vi
    .fn<() => Promise<Stored[]>>()
    .mockRejectedValueOnce(lost)
    .mockResolvedValue([{ kind: 'stored' }])
  const onHeld = vi.fn()
  const reports: unknown[] = []
  const commits = createGroupCommit(
    { store, probe: () => Promise.resolve(true) },
    (report) => void reports.push(report),
    (call) => call(),
  )
  expect(await commits.put(entry, new AbortController().signal, onHeld)).toEqual({ kind: 'stored' })
  expect(store).toHaveBeenCalledTimes(2)
  expect(onHeld).toHaveBeenCalledOnce()
  expect(reports).toMatchObject([{ kind: 'away', reason: lost.message }, { kind: 'back' }])
})
