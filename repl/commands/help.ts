/** Help: what there is, and what the documentation says of it. */
import { Drawing } from "../../nn/term/drawing.ts";
import { networkPage, networksTable } from "../help/networks.ts";
import {
  overview,
  type TopicOptions,
  topicPage,
  valueTopic,
} from "../help/topics.ts";
import type { Family } from "./command.ts";

export const helpCommands: Family = (shell) => [
  {
    name: "help",
    takes: "text",
    usage: ".help [topic]",
    about:
      "commands; or what is known of a function, class, method, variable, network or command: also ?topic, and ??topic for the source",
    async run(topic?: unknown, options?: TopicOptions) {
      if (topic === undefined || topic === "") {
        return new Drawing(overview(shell));
      }
      const rows = typeof topic === "string"
        ? await topicPage(topic, shell, options)
        : await valueTopic(topic, shell, options);
      return new Drawing(rows);
    },
  },
  {
    name: "zoo",
    takes: "text",
    usage: ".zoo [network]",
    about: "the networks with their sizes and weights, or one of them",
    global: false,
    run(name?: string) {
      const look = shell.screen();
      return new Drawing(
        name ? networkPage(name, look) : networksTable(look),
      );
    },
  },
];
