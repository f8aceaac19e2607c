// The pages of `minikafka help formats|offsets|exit-codes`.

export const HELP_PAGES: Readonly<Record<string, string>> = {
  formats: `A format (-f) is text with verbs:
  %t topic   %p partition   %o offset   %k key   %K its size   %v or %s value   %V or %S its size
  %h all headers   %h{name} one   %T timestamp in ms   %d{iso} as ISO 8601   %% a percent sign
  %k and %v take an encoding: {hex} {base64} {json}
Escapes: \\n \\t \\r \\0 \\\\ \\xNN. A size of -1 means null.

JSON lines (-J) are the same out of consume and into produce; only value is needed there:
  {"topic":"orders","partition":3,"offset":17,"timestamp":1767225600000,"key":"c-42","value":"…","headers":[["source","web"]]}
Null is null. Bytes that are not UTF-8 are base64 and say so: "valueEncoding":"base64", "keyEncoding", a header's third item.
`,
  offsets: `OFFSET = POINT | [POINT] ":" [POINT]    a range ends before its second point; without one it follows (-e: stops)
POINT  = start (earliest, beginning) | end (latest) | committed | N | +N (from the start) | -N (from the end) | @TIME
TIME   = epoch ms (13 digits) or s (10) | 2026-01-31 | RFC 3339 (in a range basic: 20260131T100000Z) | -DURATION (ago); UTC
DURATION = 250ms 30s 15m 4h 7d 2w

Examples: -o end   -o -10 -e   -o 100:200   -o @-1h:   -o @2026-01-31:@2026-02-01
`,
  'exit-codes': `0  done
1  error, or a check that failed
2  usage
3  not found
4  timed out
130, 143  ended at once by a second SIGINT or SIGTERM
`,
}
