import { splitRow } from '../haproxy/stats';

/** All of `show stat`: by series (`section/server`), by column. */
export type Table = ReadonlyMap<string, ReadonlyMap<string, string>>;

export function parseTable(answer: string): Table {
  const [header = '', ...lines] = answer.split('\n');
  const names = header.replace(/^# /, '').split(',');
  return new Map(
    lines
      .filter((text) => text.includes(','))
      .map((text) => {
        const fields = splitRow(text);
        return [`${fields[0]}/${fields[1]}`, new Map(names.map((name, index) => [name, fields[index] ?? '']))];
      }),
  );
}

/** The fields of `show info`, such as `CurrConns: 3`. */
export function parseInfo(answer: string): ReadonlyMap<string, string> {
  const pairs = answer.split('\n').map((text) => /^(\w+): (.*)$/.exec(text));
  return new Map(pairs.flatMap((match) => (match === null ? [] : [[match[1] ?? '', match[2] ?? ''] as const])));
}
