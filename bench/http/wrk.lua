-- Arguments: nothing for GET; `post <body>`; `paths <file>` for GETs of the file's lines, one after the other.
local paths = {}
local next_path = 0

function init(args)
  if args[1] == 'post' then
    wrk.method = 'POST'
    wrk.body = args[2]
    wrk.headers['Content-Type'] = 'application/json'
  elseif args[1] == 'paths' then
    for line in io.lines(args[2]) do
      paths[#paths + 1] = wrk.format('GET', line)
    end
    request = function()
      next_path = next_path % #paths + 1
      return paths[next_path]
    end
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%f,"p50":%f,"p99":%f,"failed":%d}\n',
    summary.requests,
    summary.duration / 1e6,
    latency:percentile(50) / 1000,
    latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end
