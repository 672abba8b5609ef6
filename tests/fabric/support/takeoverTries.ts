import { loadavg } from 'node:os';
import { enginesOf, type Failure, type Figures, renderFigures, type Taken, tryFailure } from './failures';
import type { Slipstream } from './slipstream';
import {
  asked,
  type Balanced,
  balance,
  isAnsweredBy,
  isFull,
  MODES,
  openStage,
  plugOutsider,
  type Stage,
} from './stage';

/** Two engines that serve one load balancer a mode, and what each failure of one of them costs. */
export interface TakeoverTries {
  readonly modes: readonly string[];
  /** Gives by mode what was taken. */
  run(failure: Failure, sign?: Sign): Promise<ReadonlyMap<string, readonly Taken[]>>;
  close(): Promise<void>;
}

/** What must be seen of a failure before it is over. */
export type Sign = (site: Slipstream, engineId: string) => Promise<boolean>;

/** SLIPSTREAM_TRIES and SLIPSTREAM_MODES (names, with commas between them) say otherwise. */
const TRIES = Number(process.env['SLIPSTREAM_TRIES'] ?? (isFull ? 20 : 1));
const ONLY = process.env['SLIPSTREAM_MODES']?.split(',');

export interface TriesWanted {
  readonly title: string;
  /** Of slipstream.conf. */
  readonly settings: string;
  /** Names. */
  readonly modes: readonly string[];
}

export async function openTries({ title, settings, modes }: TriesWanted): Promise<TakeoverTries> {
  const stage = await openStage({ settings, group: { maxEngines: 2 } });
  const figures: Figures[] = [];
  try {
    const balanced = await balanceModes(stage, ONLY ? modes.filter((one) => ONLY.includes(one)) : modes);
    return {
      modes: [...balanced.keys()],
      async run(failure, sign) {
        const taken = await tryAll(stage, [...balanced.values()], { failure, sign });
        const found = new Map(
          [...balanced.keys()].map((mode, index) => [mode, taken.map((one) => one[index] as Taken)]),
        );
        const now = [...found].map(([mode, all]): Figures => ({ what: failure.name, mode, taken: all }));
        figures.push(...now);
        // Jest keeps what is printed until the file is over, which takes long.
        if (isFull) process.stderr.write(`load ${readLoad()}\n${renderFigures(now)}\n`);
        return found;
      },
      async close() {
        console.info(`${title} (load of the machine ${readLoad()})\n${renderFigures(figures)}`);
        await stage.site.close();
      },
    };
  } catch (error) {
    await stage.site.close();
    throw error;
  }
}

const readLoad = (): string =>
  loadavg()
    .map((one) => one.toFixed(1))
    .join(', ');

async function balanceModes(stage: Stage, names: readonly string[]): Promise<Map<string, Balanced>> {
  const balanced = new Map<string, Balanced>();
  const wanted = MODES.filter(({ name }) => names.includes(name));
  for (const mode of wanted) balanced.set(mode.name, await balance(stage, { mode }));
  if (wanted.some(({ isFloating }) => isFloating)) await plugOutsider(stage);
  for (const one of balanced.values()) await asked('two engines serve', one, isAnsweredBy(2));
  return balanced;
}

/** The engines are lost in turn. By try, then by load balancer. */
async function tryAll(
  { site }: Stage,
  balanced: readonly Balanced[],
  { failure, sign }: { readonly failure: Failure; readonly sign: Sign | undefined },
): Promise<Taken[][]> {
  const taken: Taken[][] = [];
  const [first] = balanced;
  for (let count = 0; first && count < TRIES; count += 1) {
    const engines = await enginesOf(site, first);
    const engineId = engines[count % engines.length] ?? '';
    taken.push(await tryFailure(site, balanced, { failure, engineId, sign: sign && ((id) => sign(site, id)) }));
  }
  return taken;
}
