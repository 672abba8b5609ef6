import { type Db, prepared } from '../connect';
import { type Binding, dialectOf } from '../dialects/client';

/**
 * What can be read of one kind of object: one statement for an object and one for a page, relations as correlated
 * subselects. `o` is the alias of the object's own table everywhere.
 */
export interface ReadModel {
  /** `listener o`, with joins if need be. */
  readonly from: string;
  /** The select list, with an alias for whatever is not a column. */
  readonly columns: (db: Db) => readonly string[];
  /** The single-value attributes by their names in the API: what lists filter and sort by. */
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** Whether its objects have tags. */
  readonly tagged?: boolean;
  /** What a page starts from, and what ends every order. `id` by default. */
  readonly key?: string;
  /** Condition for a row to be seen at all. */
  readonly visible?: string;
}

export interface Attribute {
  /** SQL expression. */
  readonly column: string;
  /** `since` and `until` are times, too: a filter by them is a bound. */
  readonly type: 'text' | 'integer' | 'number' | 'boolean' | 'time' | 'since' | 'until';
}

/** A piece of a WHERE clause. */
export interface Condition {
  readonly sql: string;
  readonly bindings: readonly Binding[];
}

export interface Order {
  /** SQL expression. */
  readonly column: string;
  readonly descending: boolean;
}

export interface PageRequest {
  readonly conditions: readonly Condition[];
  readonly order: readonly Order[];
  /** The values of the order's columns in the row the page begins after. */
  readonly after?: readonly Binding[];
  /** Null: everything. */
  readonly limit: number | null;
}

export const text = (column: string): Attribute => ({ column, type: 'text' });
export const integer = (column: string): Attribute => ({ column, type: 'integer' });
export const bool = (column: string): Attribute => ({ column, type: 'boolean' });
export const number = (column: string): Attribute => ({ column, type: 'number' });
export const time = (column: string): Attribute => ({ column, type: 'time' });

/** The attributes every object of a load balancer's tree has. */
export const TREE_ATTRIBUTES = {
  id: text('o.id'),
  project_id: text('o.project_id'),
  provisioning_status: text('o.provisioning_status'),
  operating_status: text('o.operating_status'),
  admin_state_up: bool('o.enabled'),
  created_at: time('o.created_at'),
  updated_at: time('o.updated_at'),
} as const;

/** The columns behind `TREE_ATTRIBUTES`. */
export const TREE_COLUMNS = [
  'o.id',
  'o.project_id',
  'o.provisioning_status',
  'o.operating_status',
  'o.enabled',
  'o.created_at',
  'o.updated_at',
] as const;

/**
 * A row that says DELETED, or is gone, is not there. Spelled so that no index fits: the optimizer would take the one on
 * the status, which nearly all rows meet, and sort them all for each page.
 */
export const NOT_DELETED = "coalesce(o.provisioning_status, '') <> 'DELETED'";

const selects = new WeakMap<ReadModel, Map<string, string>>();

/** `select ... from ... where <visible>`, put together once a dialect. */
function selectText(db: Db, model: ReadModel): string {
  const { dialect } = dialectOf(db);
  const byDialect = selects.get(model) ?? new Map<string, string>();
  selects.set(model, byDialect);
  const known = byDialect.get(dialect);
  if (known) return known;
  const built = `select ${model.columns(db).join(', ')} from ${model.from} where ${model.visible ?? '1 = 1'}`;
  byDialect.set(dialect, built);
  return built;
}

/** The object with this key, unless it is not there or fails the further conditions. */
export async function readOne<R extends object>(
  db: Db,
  model: ReadModel,
  key: string,
  conditions: readonly Condition[] = [],
): Promise<R | undefined> {
  const where = [selectText(db, model), `o.${model.key ?? 'id'} = ?`, ...conditions.map(({ sql }) => sql)];
  const rows = await prepared<R>(db, where.join(' and '), [key, ...conditions.flatMap(({ bindings }) => bindings)]);
  return rows[0];
}

/** Objects that meet all conditions, in order, from behind the marker's row on. */
export async function readPage<R extends object>(db: Db, model: ReadModel, page: PageRequest): Promise<R[]> {
  const conditions = page.after ? [...page.conditions, isBehind(page.order, page.after)] : page.conditions;
  const bindings = conditions.flatMap((condition) => condition.bindings);
  if (page.limit !== null) bindings.push(page.limit);
  return prepared<R>(db, pageText(db, model, { ...page, conditions }), bindings);
}

function pageText(db: Db, model: ReadModel, { conditions, order, limit }: PageRequest): string {
  const by = order.map(({ column, descending }) => (descending ? `${column} desc` : column)).join(', ');
  const tail = `${by && ` order by ${by}`}${limit === null ? '' : ' limit ?'}`;
  const where = conditions.map(({ sql }) => ` and ${sql}`).join('');
  const sortsJoined = order.some(({ column }) => !column.startsWith('o.'));
  if (!sortsJoined || limit === null) return `${selectText(db, model)}${where}${tail}`;
  // MySQL reads the relations of all rows before it sorts by a joined table: the page's keys are found first.
  const key = model.key ?? 'id';
  const keys = `select o.${key} as page_key from ${model.from} where ${model.visible ?? '1 = 1'}${where}${tail}`;
  const columns = model.columns(db).join(', ');
  return `select ${columns} from ${model.from} join (${keys}) page on page.page_key = o.${key} order by ${by}`;
}

/** The values of the order's columns in one row; undefined if the row cannot be seen. */
export async function readMarker(
  db: Db,
  model: ReadModel,
  order: readonly Order[],
  key: string,
): Promise<Binding[] | undefined> {
  const columns = order.map(({ column }, index) => `${column} as k${index}`).join(', ');
  const sql = `select ${columns} from ${model.from} where ${model.visible ?? '1 = 1'} and o.${model.key ?? 'id'} = ?`;
  const [row] = await prepared<Record<string, Binding>>(db, sql, [key]);
  return row && order.map((_, index) => row[`k${index}`] ?? null);
}

/**
 * Rows that come after one with these values: greater in the first column, or equal there and greater in the second,
 * and so on. The first column's bound is repeated in front, where an index can use it.
 */
function isBehind(order: readonly Order[], values: readonly Binding[]): Condition {
  const alternatives: Condition[] = [];
  const equal: Condition[] = [];
  order.forEach((key, index) => {
    const value = values[index] ?? null;
    const later = isLater(key, value);
    if (later) alternatives.push(all([...equal, later]));
    equal.push(value === null ? plain(`${key.column} is null`) : { sql: `${key.column} = ?`, bindings: [value] });
  });
  if (alternatives.length === 0) return plain('1 = 0');
  return {
    sql: `(${alternatives.map(({ sql }) => sql).join(' or ')})`,
    bindings: alternatives.flatMap(({ bindings }) => bindings),
  };
}

/** Both dialects sort NULL before everything else. Undefined: nothing comes later. */
function isLater({ column, descending }: Order, value: Binding): Condition | undefined {
  if (value === null) return descending ? undefined : plain(`${column} is not null`);
  return descending
    ? { sql: `(${column} < ? or ${column} is null)`, bindings: [value] }
    : { sql: `${column} > ?`, bindings: [value] };
}

function all(conditions: readonly Condition[]): Condition {
  return {
    sql: `(${conditions.map(({ sql }) => sql).join(' and ')})`,
    bindings: conditions.flatMap(({ bindings }) => bindings),
  };
}

function plain(sql: string): Condition {
  return { sql, bindings: [] };
}
