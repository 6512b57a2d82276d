-- Load on `lexiform serve` with wrk (https://github.com/wg/wrk): text searches that never repeat, or a few that do.
--
--   wrk -t1 -c64 -d20s --latency -s xtask/peers/load.lua http://127.0.0.1:7070 -- distinct 0
--   wrk -t1 -c64 -d20s --latency -s xtask/peers/load.lua http://127.0.0.1:7070 -- repeated
--
-- The number after `distinct` is that of the first text: another one for texts that the server does not know yet.

local adjectives = { "red", "green", "blue", "old", "small", "tall", "round", "wooden", "metal", "broken", "shiny", "flat", "heavy", "thin", "curved", "striped" }
local nouns = { "chair", "table", "lamp", "car", "plane", "mug", "bottle", "house", "tree", "dog", "cat", "fish", "sword", "hammer", "guitar", "clock", "sofa", "bed", "boat", "truck" }
local places = { "kitchen", "garden", "street", "office", "bedroom", "harbor", "forest", "museum", "school", "station", "hospital", "castle", "farm", "island", "desert" }

local mode, number = "distinct", 0

function init(args)
   mode = args[1] or mode
   number = tonumber(args[2] or 0)
   math.randomseed(number + 1)
end

local function pick(list)
   return list[math.random(#list)]
end

function request()
   local text
   if mode == "repeated" then
      number = (number + 1) % 20
      text = "a+wooden+" .. nouns[number + 1]
   else
      number = number + 1
      text = string.format("a+%s+%s+with+a+%s+%s+in+the+%s+%d", pick(adjectives), pick(nouns), pick(adjectives), pick(nouns), pick(places), number)
   end
   return wrk.format("GET", "/v1/search?k=24&text=" .. text)
end

function done(summary, latency)
   local refused = summary.errors.status
   io.write(string.format("%s: %.0f searches/s, p50 %.1f ms, p99 %.1f ms, %d not answered with 200\n",
      mode, summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000, refused))
end
