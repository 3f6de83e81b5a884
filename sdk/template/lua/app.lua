-- @name@: an app with one agent.         troupe run app.lua 2 3
return {
  name = "@name@",
  tree = {
    children = {
      { id = "@name@", start = "@name@.lua" },
    },
  },
  main = "@name@.run",
}
