/** The other side of `decode_pool.ts`: a thread that decodes pictures. */
import { FileFormatError } from "../../core/errors.ts";
import type { Answer, Request } from "./decode_pool.ts";
import { decodeImage } from "./image.ts";

/** What a worker's global object has beside a window's; Deno's types of the library don't tell. */
interface WorkerScope {
  onmessage: (event: MessageEvent<Request>) => void;
  postMessage(answer: Answer, transfer: Transferable[]): void;
}

const self = globalThis as unknown as WorkerScope;

self.onmessage = async ({ data: { id, path } }) => {
  try {
    const image = await decodeImage(path);
    self.postMessage({ id, image }, [image.data.buffer]);
  } catch (error) {
    const rule = error instanceof FileFormatError ? error.rule : undefined;
    const { message, name } = error instanceof Error
      ? error
      : new Error(String(error));
    self.postMessage({ id, error: message, name, rule }, []);
  }
};
