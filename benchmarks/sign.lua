-- Requests for wrk: `wrk -s sign.lua URL -- KEYS get|sign LABEL ITEMS FIRST`. KEYS: a file, one API key a line.
-- Each request has the next key; each item a digest that no other item of this run has.

local get, heads, label, items, number = false, {}, "", 1, 0
local bodies = {}
-- The first eight characters of the base64 of 32 bytes; the rest stands.
local REST = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

function init(args)
   for key in io.lines(args[1]) do
      heads[#heads + 1] = { ["Authorization"] = "Bearer " .. key, ["Content-Type"] = "application/json" }
   end
   get, label, items, number = args[2] == "get", args[3], tonumber(args[4]), tonumber(args[5])
end

function request()
   local head = heads[number % #heads + 1]
   if get then
      number = number + 1
      return wrk.format("GET", "/api/v1/key", head)
   end
   local list = {}
   for place = 1, items do
      list[place] = string.format(
         '{"kind":"pe","digest":"%08d%s","file_name":"program-%d.exe","file_size":1048576}', number % 100000000, REST, number)
      number = number + 1
   end
   local body = '{"label":"' .. label .. '","profile":"authenticode","algorithm":"SHA256","items":[' .. table.concat(list, ",") .. ']}'
   return wrk.format("POST", "/api/v1/sign", head, body)
end
