// Adds up what the runners reported in a folder (vitest's JSON, node's TAP) and prints "N passed, N failed".
// Further arguments are steps of test/run that failed. A report that is missing or empty is a failure: a runner that
// ran nothing must not look like one that found nothing.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, ...failedSteps] = process.argv.slice(2);
let passed = 0;
let failed = 0;
const problems = failedSteps.map((step) => `step failed: ${step}`);

for (const name of readdirSync(folder)) {
  const text = readFileSync(join(folder, name), 'utf8');
  const report = name.endsWith('.json') ? fromVitest(text) : fromTap(text);
  if (report.skipped > 0) problems.push(`${name}: ${report.skipped} skipped, and none may be`);
  if (report.passed === 0) problems.push(`${name}: no test passed`);
  passed += report.passed;
  failed += report.failed;
}
if (passed === 0) problems.push('no test ran');
for (const problem of problems) process.stdout.write(`${problem}\n`);
// Whatever failed without a test of its own is counted as one.
if (problems.length > 0 && failed === 0) failed = problems.length;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed > 0 ? 1 : 0);

function fromVitest(text) {
  const report = JSON.parse(text);
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function fromTap(text) {
  const number = (name) => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  return {
    passed: number('pass'),
    failed: number('fail') + number('cancelled'),
    skipped: number('skipped') + number('todo'),
  };
}
