// Runs a receiver whose process ends when it is about to answer for the first time: its transaction is over by then.
"use strict";

const http = require("node:http");
const path = require("node:path");

http.ServerResponse.prototype.writeHead = () => process.exit(42);
require(path.resolve(process.argv[2]));
