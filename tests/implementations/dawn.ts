/** Loaded before a test file (`deno test --preload`): puts Dawn, Chromium's WebGPU with the Tint compiler, in the place of Deno's own. */

// As text, so that the package, 130 MB, is needed by this run only and not by `deno check`.
const PACKAGE: string = "npm:webgpu@0.6.2";
const { create, globals } = await import(PACKAGE);
Object.assign(globalThis, globals);
Object.defineProperty(navigator, "gpu", { value: create([]) });
