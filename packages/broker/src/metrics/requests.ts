// Requests on the page: durations, bytes and errors by API, refusals, syncs, slow decisions. Enters: what the rooms counted.
// Leaves: counters and histograms. An API that nobody has asked has no series.
import { labelText, type PageText, type Sample } from './page-text.ts'
import type { Watched } from './watched.ts'

export function writeRequests(page: PageText, watched: Watched): void {
  const { requests, directory, groups } = watched
  const asked = [...requests.byApi]
    .filter(([, { durations }]) => durations.count > 0)
    .map(([api, counts]) => ({ api, labels: labelText({ api }), counts }))
  page.histogram(
    'minikafka_request_duration_seconds',
    'From the whole request to its answer, by API. Fetches wait for records, produces for their sync.',
    asked.map(({ labels, counts }) => [labels, counts.durations]),
  )
  page.counter(
    'minikafka_request_bytes_total',
    'Bytes of requests, by API.',
    asked.map(({ labels, counts }): Sample => [labels, counts.bytes]),
  )
  page.counter(
    'minikafka_request_errors_total',
    'Errors in answers, one for each item that has one, by API and error.',
    asked.flatMap(({ api, counts }) =>
      [...counts.errors].map(([error, count]): Sample => [labelText({ api, error }), count]),
    ),
  )
  page.counter(
    'minikafka_refused_total',
    'Connections and requests that were refused before a handler saw them, by reason.',
    [...requests.refusals].map(([reason, count]): Sample => [labelText({ reason }), count]),
  )
  page.histogram(
    'minikafka_fsync_duration_seconds',
    'fdatasync of log segments; with flush=group acknowledgements wait for it.',
    [['', directory.syncs]],
  )
  page.counter(
    'minikafka_group_slow_decisions_total',
    'Decisions about a group that held everything else up for more than 10 ms.',
    groups.slowDecisionCount,
  )
}
