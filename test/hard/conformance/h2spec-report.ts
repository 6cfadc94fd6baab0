/** What h2spec says in its JUnit report: the names of its cases, each with the number of its section. */
export interface H2specReport {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
}

const CASE = /<testcase package="([^"]*)" classname="([^"]*)"[^>]*?(?:\/>|>(.*?)<\/testcase>)/gs;

export function readH2specReport(xml: string): H2specReport {
  const report = { passed: [] as string[], failed: [] as string[], skipped: [] as string[] };
  for (const [, section, name, verdict = ''] of xml.matchAll(CASE)) {
    const failed = verdict.includes('<failure') || verdict.includes('<error');
    const list = failed ? report.failed : verdict.includes('<skipped') ? report.skipped : report.passed;
    list.push(`${section}: ${name}`);
  }
  return report;
}
