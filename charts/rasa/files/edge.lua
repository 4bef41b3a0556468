-- A renewed certificate is served without a new process: the kubelet changes the files, and they are looked at here.

local FOLDER = "/etc/edge-tls/"
local PAUSE_S = 10

local function read(name)
  local file = io.open(FOLDER .. name, "r")
  local text = file and file:read("a")
  if file then
    file:close()
  end
  return text
end

core.register_task(function()
  local served = read("edge.pem")
  while true do
    core.sleep(PAUSE_S)
    local certificate, key = read("edge.pem"), read("edge.pem.key")
    if certificate and key and certificate ~= served then
      -- One whose halves do not fit each other is refused, and the one before goes on.
      local done, told = pcall(CertCache.set, { filename = FOLDER .. "edge.pem", crt = certificate .. "\n" .. key })
      core.log(core.notice, done and "renewed certificate" or "certificate refused: " .. tostring(told))
      if done then
        served = certificate
      end
    end
  end
end)
