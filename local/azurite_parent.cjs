// Loaded into Azurite before its own code (node -r): stops it when standard input ends.
//
// Standard input is a pipe whose other end only our parent holds, so it ends whenever the parent does, kill -9 included.
// Azurite saves its rows in its handler of SIGINT, which it installs once it listens; calling the handlers, rather than
// sending the signal, does the same on every system and never runs into the signal's default, which saves nothing.
"use strict";

const PATIENCE = 10_000;

process.stdin.on("error", () => {}).on("close", stop).resume();
for (const output of [process.stdout, process.stderr]) {
  output.on("error", () => {}); // whoever read them is gone
}

function stop() {
  setTimeout(() => process.exit(1), PATIENCE).unref();
  const asking = setInterval(() => {
    if (process.emit("SIGINT")) {
      clearInterval(asking);
    }
  }, 20);
}
