/** The library vouches for its own layers and losses. */
import * as nn from "./mod.ts";
import { vouchFor } from "./traceable.ts";

vouchFor(nn);
