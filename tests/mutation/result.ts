/** The result of a run as a table. */

/** What became of a fault. */
export interface Outcome {
  readonly kind: "caught" | "missed" | "equivalent";
  readonly family: string;
  readonly file: string;
  readonly line: number;
  /** The line before and after. */
  readonly was: string;
  readonly becomes: string;
  readonly operator: string;
  /** The test that caught it, or why it makes no difference. */
  readonly by: string;
}

function counts(outcomes: readonly Outcome[]) {
  const of = (kind: Outcome["kind"]) =>
    outcomes.filter((outcome) => outcome.kind === kind).length;
  const [caught, missed] = [of("caught"), of("missed")];
  return {
    caught,
    missed,
    equivalent: of("equivalent"),
    faults: caught + missed,
  };
}

/** Caught faults of those that change a result: from 0 to 1, and 0 where there are none. */
export function shareCaught(outcomes: readonly Outcome[]): number {
  const { caught, faults } = counts(outcomes);
  return faults === 0 ? 0 : caught / faults;
}

function tableBy(
  title: "family" | "operator",
  outcomes: readonly Outcome[],
): string[] {
  const groups = [...Map.groupBy(outcomes, (outcome) => outcome[title])]
    .sort(([a], [b]) => a < b ? -1 : 1);
  const row = (name: string, of: readonly Outcome[]) => {
    const { faults, caught, missed, equivalent } = counts(of);
    const share = faults === 0 ? "" : `${(shareCaught(of) * 100).toFixed(1)} %`;
    return `| ${name} | ${faults} | ${caught} | ${missed} | ${share} | ${equivalent} |`;
  };
  return [
    `| ${title} | faults | caught | missed | share | equivalent |`,
    "| --- | ---: | ---: | ---: | ---: | ---: |",
    ...groups.map(([name, of]) => row(name, of)),
    row("all", outcomes),
  ];
}

/** Tables per family and per operator, and each fault that was missed. */
export function formatResult(outcomes: readonly Outcome[]): string {
  const survivors = outcomes.filter(({ kind }) => kind === "missed")
    .map(({ file, line, operator, was, becomes }) =>
      `missed ${file}:${line} (${operator})\n  was     ${was}\n  becomes ${becomes}`
    );
  return [
    "",
    ...tableBy("family", outcomes),
    "",
    ...tableBy("operator", outcomes),
    "",
    ...survivors,
  ].join("\n");
}
