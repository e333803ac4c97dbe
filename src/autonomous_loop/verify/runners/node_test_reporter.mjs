// Laid into a run's folder by the loop: one JSON object a line for each test that ended.
export default async function* report(source) {
  const names = [];
  const output = new Map();
  for await (const { type, data } of source) {
    if (type === "test:stderr") {
      output.set(data.file, ((output.get(data.file) ?? "") + data.message).slice(-6000));
    } else if (type === "test:start") {
      names.length = data.nesting;
      names[data.nesting] = data.name;
    } else if (type === "test:pass" || type === "test:fail") {
      const error = data.details?.error;
      const cause = error?.cause ?? error;
      yield `${JSON.stringify({
        file: data.file ?? "",
        names: [...names.slice(0, data.nesting), data.name],
        passed: type === "test:pass",
        suite: data.details?.type === "suite",
        excused: data.skip !== undefined || data.todo !== undefined,
        failure: error?.failureType ?? "",
        error: error === undefined ? "" : String(cause?.stack ?? cause?.message ?? cause),
        output: output.get(data.file) ?? "",
      })}\n`;
    }
  }
}
