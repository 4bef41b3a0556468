-- What HAProxy's own language lacks: to hold a request until a server is there, and to find a server by a mark.

local STEP_MS = 50

-- Asked of the servers: HAProxy 2.6 has no count of them here, and its fetch nbsrv counts none once a process has to end.
local function has_server(backend)
  for _, server in pairs(core.backends[backend].servers) do
    if server:get_stats().status:match("^UP") then
      return true
    end
  end
  return false
end

-- A new HAProxy, or one that has just read its configuration again, knows no pod for some milliseconds.
core.register_action("await_server", { "http-req" }, function(_, backend)
  local waited = 0
  while waited < 5000 and not has_server(backend) do
    core.msleep(STEP_MS)
    waited = waited + STEP_MS
  end
end, 1)

local function server_by_mark(txn, backend, mark)
  for name, server in pairs(core.backends[backend].servers) do
    local address = (server:get_addr() or ""):match("^%[?([%x.:]+)%]?:%d+$")
    if address and string.format("%08x", txn.c:crc32(address)) == mark then
      return name
    end
  end
end

-- A socket.io session id begins with a mark of the pod that gave it (botyard_gateway.py: CRC32 of its address). Every
-- gateway finds the same pod by it, without telling the others. One that another gateway knew first is here in a second;
-- a mark that fits no pod finds none.
core.register_action("find_server", { "http-req" }, function(txn, backend)
  local mark = (txn.f:url_param("sid") or ""):match("^p(%x%x%x%x%x%x%x%x)%-")
  local waited = 0
  while mark and waited < 2500 do
    local name = server_by_mark(txn, backend, mark)
    if name then
      txn:set_var("txn.server", name)
      return
    end
    core.msleep(STEP_MS)
    waited = waited + STEP_MS
  end
end, 1)
