/** What a training run was like. */
import type { Drawing } from "./term/drawing.ts";
import { plot, type PlotOptions } from "./term/plot.ts";
import type { TrainingState } from "./fit_state.ts";

/** Averages on a dataset. */
export interface Evaluation {
  readonly loss: number;
  /** Part of the examples whose highest score is at the right class; NaN where the targets aren't classes. */
  readonly accuracy: number;
  /** By name, `accuracy` among them where it was measured. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** One epoch's results: averages over its steps, while the weights changed. */
export interface EpochResult extends Evaluation {
  /** On the validation data after the epoch, where there are some. */
  readonly validation?: Evaluation;
  /** Step size of the first group in the epoch's last step. */
  readonly lr: number;
  /** Seconds that training took, without the validation. */
  readonly seconds: number;
}

/** Why training ended: all epochs are done, no more improvement, a callback's word, or an interrupt. */
export type StopReason = "finished" | "early" | "callback" | "interrupted";

/** Options of {@linkcode History.plot}. */
export interface HistoryPlotOptions extends PlotOptions {
  /** `"loss"`, `"lr"`, or the name of a metric. @default "loss" */
  readonly metric?: string;
}

/** Most values of a curve: more would be hidden by the plot's dots. */
const CURVE_POINTS = 120;

/** What {@linkcode fit} resolves to. Goes on growing where it is handed to the next `fit` as `from`. */
export class History {
  /** Loss of each step. */
  readonly losses: number[] = [];
  /** Step size of the first group in each step. */
  readonly lrs: number[] = [];
  readonly epochs: EpochResult[] = [];
  stopped: StopReason = "finished";
  /** Whether steps were run as plans: see {@linkcode compileStep}. */
  compiled = false;
  /** Why they weren't, if so. */
  notCompiled: string | undefined;
  /** Where training stands, for going on. */
  state: TrainingState | undefined;

  /** Steps that have been made. */
  get steps(): number {
    return this.losses.length;
  }

  /** Seconds of all epochs that were finished. */
  get seconds(): number {
    return this.epochs.reduce((sum, { seconds }) => sum + seconds, 0);
  }

  /**
   * Draws how the loss, the step size or a metric went: the loss and the step size over the steps, averaged where there are many, metrics over the
   * epochs; with the validation's where there are some.
   *
   * @throws {RangeError} For a metric that wasn't measured.
   *
   * @example
   * ```ts
   * import { assertStringIncludes } from "@std/assert";
   * import { nn } from "@tessera/tessera";
   *
   * const history = new nn.History();
   * history.losses.push(2, 1.5, 1);
   * const drawing = history.plot({ width: 20, height: 4 });
   * assertStringIncludes(drawing.toString(), "loss");
   * ```
   */
  plot(options: HistoryPlotOptions = {}): Drawing {
    const { metric = "loss", ...rest } = options;
    const bySteps = metric === "loss" || metric === "lr";
    const series = bySteps
      ? this.#bySteps(metric === "loss" ? this.losses : this.lrs)
      : this.#byEpochs(metric);
    if (metric === "loss") Object.assign(series, this.#validationLosses());
    const count = bySteps ? this.steps : this.epochs.length;
    return plot(series, {
      title: metric,
      xLabel: bySteps ? "step" : "epoch",
      xRange: [1, Math.max(1, count)],
      ...rest,
    });
  }

  #bySteps(values: readonly number[]): Record<string, number[]> {
    const points = Math.min(CURVE_POINTS, values.length);
    const training = Array.from({ length: points }, (_, i) => {
      const from = Math.floor(i * values.length / points);
      const to = Math.floor((i + 1) * values.length / points);
      const part = values.slice(from, to);
      return part.reduce((sum, value) => sum + value) / part.length;
    });
    return { training };
  }

  /** Straight lines between the ends of the epochs, on the steps' axis. */
  #validationLosses(): Record<string, number[]> {
    const values = this.epochs.map(({ validation }) => validation?.loss);
    if (values.every((value) => value === undefined)) return {};
    const points = Math.min(CURVE_POINTS, this.steps);
    const perEpoch = this.state?.stepsPerEpoch ??
      this.steps / this.epochs.length;
    const validation = Array.from({ length: points }, (_, i) => {
      const at = (i + 1) / points * this.steps / perEpoch - 1;
      const [low, high] = [Math.floor(at), Math.ceil(at)];
      const [a, b] = [values[low] ?? NaN, values[high] ?? NaN];
      return low === high ? a : a + (b - a) * (at - low);
    });
    return { validation };
  }

  #byEpochs(metric: string): Record<string, number[]> {
    const known = new Set(
      this.epochs.flatMap(({ metrics }) => Object.keys(metrics)),
    );
    if (!known.has(metric)) {
      throw new RangeError(
        `Cannot plot ${metric}: expected one of ${
          ["loss", "lr", ...known].join(", ")
        }`,
      );
    }
    const training = this.epochs.map(({ metrics }) => metrics[metric]);
    if (!this.epochs.some(({ validation }) => validation)) return { training };
    const validation = this.epochs.map((epoch) =>
      epoch.validation?.metrics[metric] ?? NaN
    );
    return { training, validation };
  }

  /** The last epoch in a line, and the reason where training was cut short. */
  toString(): string {
    const last = this.epochs.at(-1);
    const parts = [
      `${this.epochs.length} epochs`,
      `${this.steps} steps`,
      ...(last ? [`loss ${last.loss.toFixed(4)}`] : []),
      ...Object.entries(last?.metrics ?? {}).map(([name, value]) =>
        `${name} ${value.toFixed(4)}`
      ),
      ...(last?.validation
        ? [`validation loss ${last.validation.loss.toFixed(4)}`]
        : []),
      ...Object.entries(last?.validation?.metrics ?? {}).map(([name, value]) =>
        `validation ${name} ${value.toFixed(4)}`
      ),
      ...(this.compiled ? ["compiled"] : []),
      ...(this.stopped === "finished" ? [] : [`stopped: ${this.stopped}`]),
    ];
    return `History(${parts.join(", ")})`;
  }

  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}
