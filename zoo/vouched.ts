/** The library vouches for its own networks. */
import { vouchFor } from "../nn/traceable.ts";
import * as zoo from "./mod.ts";

vouchFor(zoo);
