import type { Layout } from './layout';
import { type TlsFile, tlsFiles } from './tlsFiles';
import { command, fixed, quote } from './words';

/**
 * One step by which a running haproxy gets other certificates: `replace` a text, `add` a certificate to a listener's, or
 * `remove` one from them.
 */
export interface TlsStep {
  readonly kind: 'replace' | 'add' | 'remove';
  readonly file: TlsFile;
}

/** A command for the runtime socket; `payload` goes with it and must not be logged. */
export interface TlsCommand {
  readonly text: string;
  readonly payload: string | null;
  /** What the answer must hold to have worked. */
  readonly expect: RegExp;
}

/** What brings the texts of one layout to those of another whose structure is the same. Who comes is added before who goes. */
export function planTlsChange(from: Layout, to: Layout): TlsStep[] {
  const before = new Map(tlsFiles(from).map((file) => [file.path, file]));
  const after = tlsFiles(to);
  const kept = new Set(after.map(({ path }) => path));
  return [
    ...after.flatMap((file): TlsStep[] => {
      const old = before.get(file.path);
      if (old === undefined) return [{ kind: 'add', file }];
      return old.material.digest === file.material.digest ? [] : [{ kind: 'replace', file }];
    }),
    ...[...before.values()].filter(({ path }) => !kept.has(path)).map((file): TlsStep => ({ kind: 'remove', file })),
  ];
}

/** The commands of one step. `directory` holds the files; `text` is the new content. */
export function tlsCommands({ kind, file }: TlsStep, directory: string, text: string): TlsCommand[] {
  const path = quote(`${directory}/${file.path}`);
  const list = quote(`${directory}/${file.list ?? ''}`);
  const what = kindWord(file);
  const plain = (content: string, expect: RegExp): TlsCommand => ({ text: content, payload: null, expect });
  const set = [
    { ...plain(command(fixed(`set ssl ${what}`), path), /transaction (?:created|updated)/i), payload: text },
    plain(command(fixed(`commit ssl ${what}`), path), /Success/),
  ];
  switch (kind) {
    case 'replace':
      return set;
    case 'add':
      return [
        plain(command(fixed('new ssl cert'), path), /^New empty/),
        ...set,
        plain(command(fixed('add ssl crt-list'), list, path), /Success/),
      ];
    case 'remove':
      return [
        plain(command(fixed('del ssl crt-list'), list, path), /deleted/),
        plain(command(fixed('del ssl cert'), path), /deleted/),
      ];
  }
}

/** Ends what a failed step may have left open; whatever it answers is fine. */
export function abortCommand({ file }: TlsStep, directory: string): string {
  return command(fixed(`abort ssl ${kindWord(file)}`), quote(`${directory}/${file.path}`));
}

function kindWord({ kind }: TlsFile): string {
  return kind === 'certificate' ? 'cert' : `${kind}-file`;
}
