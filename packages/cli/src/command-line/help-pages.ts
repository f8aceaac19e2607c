// The pages of `minikafka help formats|offsets|exit-codes`, 80 columns wide.

export const HELP_PAGES: Readonly<Record<string, string>> = {
  formats: `A format (-f) is text with verbs:
  %t  topic        %k        key            %h        all headers
  %p  partition    %K        its size       %h{name}  one header
  %o  offset       %v or %s  value          %T        timestamp in ms
  %%  a percent    %V or %S  its size       %d{iso}   timestamp as ISO 8601
%k and %v take an encoding: %v{hex} %v{base64} %v{json}
Escapes: \\n \\t \\r \\0 \\\\ \\xNN. Null prints as nothing; its size is -1.

produce -f reads what consume -f printed, but for %h. What stands between two
verbs ends the first of them; a size before makes a key or value of so many
bytes, which may then hold anything: '%K %V %k%v'. Topic and offset are passed
by.

JSON lines (-J) are the same out of consume and into produce; only value is
needed there, partition and timestamp hold, topic and offset are passed by:
  {"topic":"orders","partition":3,"offset":17,"timestamp":1767225600000,
   "key":"c-42","value":"…","headers":[["source","web"]]}
(in one line). Null is null. Bytes that are not UTF-8 are base64 and say so:
"valueEncoding":"base64", "keyEncoding", a header's third item.
`,
  offsets: `OFFSET    POINT, or a range [POINT]:[POINT]
          A range ends before its second point; without one it follows (-e:
          stops at the end).
POINT     start (earliest, beginning)   end (latest)
          N   the offset N              +N  N records after the start
          -N  N records before the end  @TIME
TIME      epoch ms (13 digits) or s (10), 2026-01-31, 2026-01-31T10:00:00Z,
          in a range 20260131T100000Z, or -DURATION (ago). UTC. A time that no
          record has reached is the end.
DURATION  250ms 30s 15m 4h 7d 2w

All of it counts per partition.

Examples:
  -o end                      what comes from now on
  -o -10 -e                   the last ten
  -o 100:200                  100 to 199
  -o @-1h:                    the last hour, and what follows
  -o @2026-01-31:@2026-02-01  one day
`,
  'exit-codes': `0         done; also where the reader of the output has enough (head)
1         error; or stopped by a signal with --file, --count or -n unfinished
2         usage
3         not found
4         timed out
130, 143  ended at once by a second SIGINT or SIGTERM
`,
}
