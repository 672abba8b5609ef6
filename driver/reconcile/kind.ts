/**
 * A kind of thing in a cloud that is kept as wanted: a VIP's port, an address pair, a server. Declared as data; the diff
 * and the loop are written once, here. Every call may be repeated: after a crash the next run does all of it again.
 */
export interface Kind<Item, Target, Clouds> {
  readonly name: string;
  /** What makes two items the same thing. */
  key(item: Item): string;
  /** What there should be. Pure; nothing when the target is to go. */
  desired(target: Target): readonly Item[];
  /** What there is, as far as it is ours. */
  observed(target: Target, clouds: Clouds): Promise<readonly Item[]>;
  /** True when nothing has to be done about `have`. */
  same(want: Item, have: Item): boolean;
  /** Makes it or changes it; `have` is what there is of it. */
  put(want: Item, clouds: Clouds, have: Item | undefined): Promise<void>;
  /** What is gone already counts as removed. */
  remove(item: Item, clouds: Clouds): Promise<void>;
  /** All puts, or all removals, at once, instead of `put` and `remove`: where several take no longer than one. */
  readonly together?: {
    put(wanted: readonly PutStep<Item>[], clouds: Clouds): Promise<void>;
    remove(items: readonly Item[], clouds: Clouds): Promise<void>;
  };
}

export type PutStep<Item> = Extract<Step<Item>, { readonly kind: 'put' }>;

export type Step<Item> =
  | { readonly kind: 'remove'; readonly item: Item }
  | { readonly kind: 'put'; readonly item: Item; readonly have: Item | undefined };

/** The steps from what there is to what there should be, removals first. Equal input gives equal steps. */
export function diff<Item>(
  kind: Pick<Kind<Item, never, never>, 'key' | 'same'>,
  wanted: readonly Item[],
  observed: readonly Item[],
): Step<Item>[] {
  const want = new Map(wanted.map((item) => [kind.key(item), item]));
  const have = new Map(observed.map((item) => [kind.key(item), item]));
  const steps: Step<Item>[] = [];
  for (const [key, item] of have) {
    if (!want.has(key)) steps.push({ kind: 'remove', item });
  }
  for (const [key, item] of want) {
    const there = have.get(key);
    if (there === undefined || !kind.same(item, there)) steps.push({ kind: 'put', item, have: there });
  }
  return steps;
}

/** Told before each step; throws to stop, for instance because the lease is lost. */
export type BeforeStep = (step: string) => Promise<void> | void;

/** A kind with its items' type hidden, so that kinds of all sorts stand in one list. */
export interface Stage<Target, Clouds> {
  readonly name: string;
  /** Looks at the cloud once; what is to be done about it is then there to be run. */
  plan(work: StageWork<Target, Clouds>): Promise<StagePlan>;
}

export interface StageWork<Target, Clouds> {
  readonly target: Target;
  readonly clouds: Clouds;
  readonly before: BeforeStep;
}

/** Both resolve to the number of steps taken. */
export interface StagePlan {
  put(): Promise<number>;
  remove(): Promise<number>;
}

export function stageOf<Item, Target, Clouds>(kind: Kind<Item, Target, Clouds>): Stage<Target, Clouds> {
  return {
    name: kind.name,
    async plan({ target, clouds, before }) {
      await before(`${kind.name}: observe`);
      const steps = diff(kind, kind.desired(target), await kind.observed(target, clouds));
      const take = async (wanted: Step<Item>['kind']): Promise<number> => {
        const chosen = steps.filter((step) => step.kind === wanted);
        if (kind.together && chosen.length > 0) {
          await before(`${kind.name}: ${wanted} ${chosen.map(({ item }) => kind.key(item)).join(', ')}`);
          if (wanted === 'put') await kind.together.put(chosen.filter(isPut), clouds);
          else await kind.together.remove(itemsOf(chosen), clouds);
          return chosen.length;
        }
        for (const step of chosen) {
          await before(`${kind.name}: ${step.kind} ${kind.key(step.item)}`);
          if (step.kind === 'put') await kind.put(step.item, clouds, step.have);
          else await kind.remove(step.item, clouds);
        }
        return chosen.length;
      };
      return { put: () => take('put'), remove: () => take('remove') };
    },
  };
}

/** Begins all the work; ends when the last of it has, so that nothing goes on behind a run that failed. */
export async function allAtOnce<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const results = await Promise.allSettled(items.map(work));
  const failed = results.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}

function isPut<Item>(step: Step<Item>): step is PutStep<Item> {
  return step.kind === 'put';
}

function itemsOf<Item>(steps: readonly Step<Item>[]): readonly Item[] {
  return steps.map(({ item }) => item);
}

/**
 * Runs stages in their order, then takes away what is not wanted in the reverse order: what others rest upon comes first
 * and goes last. Resolves to the number of steps taken.
 */
export async function runStages<Target, Clouds>(
  stages: readonly Stage<Target, Clouds>[],
  work: StageWork<Target, Clouds>,
): Promise<number> {
  const plans: StagePlan[] = [];
  let taken = 0;
  for (const stage of stages) {
    const plan = await stage.plan(work);
    plans.push(plan);
    taken += await plan.put();
  }
  for (const plan of plans.reverse()) taken += await plan.remove();
  return taken;
}
