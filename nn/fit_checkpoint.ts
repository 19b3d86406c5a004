/** A folder of checkpoints, one file a saved step, of which the last two are kept. */
import { FileFormatError } from "../core/errors.ts";
import {
  type Checkpoint,
  type CheckpointExtras,
  type CheckpointParts,
  loadCheckpoint,
  saveCheckpoint,
} from "./checkpoint.ts";

/** Options of checkpoints in `fit`. */
export interface CheckpointOptions {
  /** A folder, made if it isn't there. Its files are called `step-00000120.safetensors`. */
  readonly path: string;
  /** Steps between two checkpoints. One is also made at the end, and at an interrupt. @default the steps of an epoch */
  readonly every?: number;
  /** Whether to go on from the newest checkpoint in the folder. If not, a folder that has some is refused. @default true */
  readonly resume?: boolean;
}

/** Checkpoints that are kept: should the last one be damaged, there is another. */
const KEPT = 2;

const NAME = /^step-(\d{8,})\.safetensors$/;

/** A file that was being written when its process was killed. */
const LEFTOVER = /^step-\d{8,}\.safetensors\.[0-9a-f-]{36}\.part$/;

/** The checkpoints of a run. */
export class CheckpointFolder {
  readonly #path: string;
  #saved: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Makes the folder, and clears away what killed processes left half written. */
  async open(): Promise<void> {
    await Deno.mkdir(this.#path, { recursive: true });
    for await (const { name } of Deno.readDir(this.#path)) {
      if (LEFTOVER.test(name)) await Deno.remove(`${this.#path}/${name}`);
    }
  }

  /** Paths, newest first. */
  async list(): Promise<string[]> {
    const steps: [number, string][] = [];
    for await (const { name } of Deno.readDir(this.#path)) {
      const step = NAME.exec(name)?.[1];
      if (step !== undefined) steps.push([Number(step), name]);
    }
    steps.sort(([a], [b]) => b - a);
    return steps.map(([, name]) => `${this.#path}/${name}`);
  }

  /** Saves a step, unless that has been done, and removes what is too old. */
  async save(
    step: number,
    parts: CheckpointParts,
    extras: CheckpointExtras,
  ): Promise<void> {
    if (step === this.#saved) return;
    const name = `step-${String(step).padStart(8, "0")}.safetensors`;
    await saveCheckpoint(`${this.#path}/${name}`, parts, extras);
    this.#saved = step;
    const old = (await this.list()).slice(KEPT);
    for (const path of old) await Deno.remove(path);
  }

  /** Loads the newest checkpoint that isn't damaged; undefined where there is none at all. */
  async load(parts: CheckpointParts): Promise<Checkpoint | undefined> {
    const paths = await this.list();
    for (const [i, path] of paths.entries()) {
      try {
        return await loadCheckpoint(path, parts);
      } catch (error) {
        const last = i === paths.length - 1;
        if (last || !(error instanceof FileFormatError)) throw error;
      }
    }
    return undefined;
  }

  /** Throws if there are checkpoints already. */
  async requireEmpty(): Promise<void> {
    const [path] = await this.list();
    if (path === undefined) return;
    throw new Error(
      `Cannot start over with checkpoints in ${this.#path}: ${path} is there from another run, remove it, take another folder, or go on from it with { resume: true }`,
    );
  }
}
