// Laid into a run's folder by the loop: one JSON object a line for each test that ended.
"use strict";
const fs = require("fs");
const path = require("path");

module.exports = function report(runner) {
  const file = path.join(__dirname, "report.jsonl");
  const told = new Set();
  const broken = new Map();

  function tell(test, error, excused) {
    told.add(test);
    const line = {
      file: test.file || "",
      names: test.titlePath(),
      passed: error === undefined,
      suite: false,
      excused,
      failure: "",
      error: error === undefined ? "" : String((error && (error.stack || error.message)) || error),
      output: "",
    };
    fs.appendFileSync(file, JSON.stringify(line) + "\n");
  }

  runner.on("pass", (test) => tell(test, undefined, false));
  runner.on("pending", (test) => tell(test, undefined, true));
  runner.on("fail", (test, error) => {
    if (test.type === "hook" && test.parent && typeof test.parent.eachTest === "function") {
      broken.set(test.parent, error);
    }
    tell(test, error === undefined ? "failed" : error, false);
  });
  runner.on("end", () => {
    // A hook that fails keeps the tests behind it from running: they fail with it. (A worker's suites are far.)
    for (const [suite, error] of broken) {
      suite.eachTest((test) => {
        if (!told.has(test) && !test.isPending()) {
          tell(test, error, false);
        }
      });
    }
    fs.appendFileSync(file, '{"end":true}\n');
  });
};
