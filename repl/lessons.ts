/** The lessons that come along, in the order of a course. */
import { nearest } from "../nn/state.ts";
import { UsageError } from "./options.ts";

/** A lesson. */
export interface Lesson {
  /** The file's, in `lessons/`. */
  readonly name: string;
  /** What it shows, in a line. */
  readonly about: string;
}

export const LESSONS: readonly Lesson[] = [
  {
    name: "corr2d",
    about: "correlation and pooling by hand, against the library's",
  },
  { name: "edges", about: "a kernel that finds edges, made and then learnt" },
  { name: "padding", about: "what padding and stride do to sizes" },
  { name: "channels", about: "several channels in and out" },
  { name: "one_by_one", about: "the 1×1 convolution is a matrix product" },
  { name: "lenet", about: "LeNet, layer by layer, trained (LeCun 1998)" },
  {
    name: "alexnet",
    about: "AlexNet: wider, deeper, ReLU, dropout (Krizhevsky 2012)",
  },
  { name: "vgg", about: "VGG: blocks of 3×3 convolutions (Simonyan 2014)" },
  { name: "nin", about: "NiN: networks within a network (Lin 2013)" },
  {
    name: "googlenet",
    about: "GoogLeNet: branches side by side (Szegedy 2014)",
  },
  { name: "batchnorm", about: "batch norm by hand and at work (Ioffe 2015)" },
  { name: "resnet", about: "ResNet: what shortcuts are for (He 2015)" },
  {
    name: "densenet",
    about: "DenseNet: every layer sees all before it (Huang 2016)",
  },
];

/** The text of a lesson, and where it stands. Throws a UsageError for a name that isn't there, with the nearest one. */
export async function readLesson(
  name: string,
): Promise<{ text: string; base: URL; source: string }> {
  const names = LESSONS.map((lesson) => lesson.name);
  if (!names.includes(name)) {
    const guess = nearest(name, names);
    throw new UsageError(
      `Cannot find a lesson called "${name}"${
        guess ? `, did you mean "${guess}"?` : ""
      }: deno task lesson has their names`,
    );
  }
  const source = `${name}.ts`;
  const base = new URL(`./lessons/${source}`, import.meta.url);
  return { text: await (await fetch(base)).text(), base, source };
}
