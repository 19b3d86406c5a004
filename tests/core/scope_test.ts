import { assertEquals, assertThrows } from "@std/assert";
import {
  DisposedError,
  ones,
  scope,
  type Tensor,
  tensor,
  zeros,
} from "../../core/mod.ts";
import { outsideScopes, tidy } from "../../core/scope.ts";
import { liveMemory, onBothDevices } from "../support/devices.ts";

/** How many tensors are live. */
function live(): number {
  return liveMemory().tensors;
}

onBothDevices("a scope frees what was made in its block", () => {
  const before = live();
  let inside: Tensor;
  {
    using s = scope();
    inside = ones([2]).mul(2).add(1);
    assertEquals([live() - before, s.size], [3, 3]);
  }
  assertEquals(live(), before);
  assertEquals(inside.disposed, true);
});

onBothDevices("a scope frees when its block throws", () => {
  const before = live();
  assertThrows(() => {
    using _ = scope();
    ones([2]);
    throw new Error("on purpose");
  });
  assertEquals(live(), before);
});

onBothDevices("what a scope keeps belongs to the scope around it", async () => {
  const before = live();
  let kept: Tensor;
  {
    using outer = scope();
    {
      using inner = scope();
      const x = ones([2]);
      kept = inner.keep(x.mul(3));
      assertEquals([inner.size, outer.size], [1, 1]);
    }
    assertEquals(live(), before + 1);
    assertEquals(await kept.array(), [3, 3]);
    // Disposing of it takes it out of the scope that it moved to.
    assertEquals(outer.size, 1);
    const other = tidy(() => ones([1]));
    other.dispose();
    assertEquals(outer.size, 1);
  }
  assertEquals([live(), kept.disposed], [before, true]);
});

onBothDevices(
  "what the outermost scope keeps belongs to nobody, and lives until dispose",
  () => {
    const before = live();
    const kept = outsideScopes(() => {
      using s = scope();
      return s.keep(ones([2]).add(1));
    });
    assertEquals(live(), before + 1);
    kept.dispose();
    assertEquals(live(), before);
  },
);

onBothDevices(
  "keep finds tensors in arrays, objects, maps, sets and functions with fields",
  () => {
    const before = live();
    class Layer {
      readonly weight = ones([1]);
      readonly children = new Map([["a", { bias: zeros([1]) }]]);
    }
    {
      using s = scope();
      const call = Object.assign(() => 0, { state: ones([1]) });
      const loop: unknown[] = [ones([1])];
      loop.push(loop);
      const result = s.keep({
        list: [ones([1]), [ones([1])]],
        set: new Set([ones([1])]),
        keys: new Map([[ones([1]), null]]),
        layer: new Layer(),
        call,
        loop,
        text: "text",
        nothing: null,
        data: new Float32Array(8),
      });
      assertEquals(result.text, "text");
      ones([1]);
      assertEquals([live() - before, s.size], [9, 1]);
    }
    assertEquals(live(), before + 8);
  },
);

onBothDevices(
  "keep returns its argument and leaves strangers where they are",
  () => {
    const mine = ones([1]);
    using s = scope();
    assertEquals(s.keep(mine), mine);
    assertEquals(s.keep(5), 5);
    assertEquals(s.keep(undefined), undefined);
    s.dispose();
    assertEquals(mine.disposed, false);
  },
);

onBothDevices(
  "keeping a view keeps the memory, but not the tensor that it was made from",
  async () => {
    const before = liveMemory();
    {
      using outer = scope();
      const view = tidy(() => tensor([[1, 2], [3, 4]]).transpose());
      assertEquals(outer.size, 1);
      assertEquals(await view.array(), [[1, 3], [2, 4]]);
      assertEquals(liveMemory().bytes, before.bytes + 16);
    }
    assertEquals(liveMemory(), before);
  },
);

onBothDevices("a scope may end twice, or before those inside it", () => {
  const before = live();
  const outer = scope();
  ones([1]);
  const inner = scope();
  ones([1]);
  outer.dispose();
  assertEquals(live(), before + 1);
  ones([1]);
  assertEquals(inner.size, 2);
  inner.dispose();
  inner.dispose();
  outer[Symbol.dispose]();
  assertEquals(live(), before);
});

onBothDevices(
  "sweep frees what can't be reached, and the scope stays open",
  () => {
    const before = live();
    using s = scope();
    const kept = ones([1]);
    const deep = { list: [ones([1])] };
    const lost = ones([1]);
    s.sweep([kept, deep]);
    assertEquals([live() - before, s.size], [2, 2]);
    assertEquals([kept.disposed, lost.disposed], [false, true]);
    ones([1]);
    assertEquals(s.size, 3);
    s.sweep([]);
    assertEquals(live(), before);
  },
);

onBothDevices("a tensor freed in its scope is not freed again by it", () => {
  using s = scope();
  const x = ones([1]);
  x.dispose();
  assertEquals(s.size, 0);
});

onBothDevices("use after the scope is refused, unless it was kept", () => {
  const [kept, lost] = tidyPair();
  kept.add(1);
  assertThrows(() => lost.add(1), DisposedError);
});

function tidyPair(): [Tensor, Tensor] {
  using s = scope();
  const pair: [Tensor, Tensor] = [ones([1]), ones([1])];
  s.keep(pair[0]);
  return pair;
}

onBothDevices("a scope lives through awaits", async () => {
  const before = live();
  {
    using _ = scope();
    const x = ones([2]);
    await x.read();
    const y = x.add(1);
    await y.read();
    assertEquals(live(), before + 2);
  }
  assertEquals(live(), before);
});
