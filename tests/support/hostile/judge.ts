import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readAlerts } from '../../../driver/agent/haproxy/alerts';
import { keptFile } from '../../../driver/agent/haproxy/kept';
import type { Layout } from '../../../driver/agent/haproxy/layout';
import { NAP_SCRIPT } from '../../../driver/agent/haproxy/patience';
import { type Rendered, type RenderSettings, renderConfig } from '../../../driver/agent/haproxy/render';
import { tlsFiles } from '../../../driver/agent/haproxy/tlsFiles';
import type { ObjectRef } from '../../../driver/agent/haproxy/words';
import { bundleOf } from '../agentTls';
import type { Issued } from '../certificates/issue';

/** Splits a line into words as haproxy does (its configuration manual, section 2.2): quotes, backslashes, comments. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === ' ' || character === '\t') {
      if (word !== null) words.push(word);
      word = null;
      continue;
    }
    if (character === '#') break;
    word ??= '';
    if (character === "'") {
      const end = text.indexOf("'", at + 1);
      if (end === -1) throw new Error(`an open quote: ${text}`);
      word += text.slice(at + 1, end);
      at = end;
    } else if (character === '\\') {
      at += 1;
      word += text[at] ?? '';
    } else if (character === '"' || character === '$') {
      throw new Error(`what haproxy would expand: ${text}`);
    } else word += character;
  }
  return word === null ? words : [...words, word];
}

/** What the renderer starts lines with; anything else would have been smuggled in. */
const SECTIONS = ['global', 'defaults', 'peers', 'ring', 'frontend', 'backend'];
const DIRECTIVES = new Set(
  [
    ['acl', 'alpn', 'balance', 'bind', 'ca-base', 'cookie', 'crt-base', 'default_backend', 'dynamic-cookie-key'],
    ['hard-stop-after', 'hash-type', 'http-reuse', 'httpclient.ssl.verify', 'load-server-state-from-file', 'localpeer'],
    [
      'maxconn',
      'mode',
      'mworker-max-reloads',
      'nbthread',
      'option allbackups',
      'option contstats',
      'option forwardfor',
    ],
    ['option httpchk', 'option idle-close-on-response', 'option redispatch', 'option ssl-hello-chk', 'peer', 'retries'],
    ['retry-on', 'server', 'server-state-file', 'stats socket', 'stats timeout', 'stick match', 'stick store-response'],
    ['stick-table', 'tcp-request connection', 'tcp-request content', 'tcp-request inspect-delay', 'timeout check'],
    ['timeout client', 'timeout connect', 'timeout server', 'use_backend', 'http-check expect', 'http-check send'],
    ['http-request deny', 'http-request disable-l7-retry', 'http-request redirect', 'http-request set-header'],
    ['http-request set-var', 'http-request set-var-fmt', 'http-after-response set-header', 'tcp-request session'],
    ['http-request lua.nap', 'lua-load', 'set-var', 'use-server'],
    ['http-request return', 'http-request set-path', 'log', 'log-format', 'format', 'maxlen', 'size'],
  ].flat(),
);

/** Lines that are not the renderer's own, or that haproxy would read in another way than it was meant. */
export function foreignLines({ text }: Rendered): string[] {
  return text
    .split('\n')
    .slice(0, -1)
    .filter((line) => !isOwn(line));
}

function isOwn(line: string): boolean {
  const [first = '', second = ''] = wordsOf(line);
  if (!line.startsWith('  ')) return SECTIONS.includes(first);
  const action = `${first} ${second.replace(/\(.*/s, '')}`;
  return DIRECTIVES.has(first) || DIRECTIVES.has(action);
}

/** What the renderer says of a server, with how many values. */
const SERVER_WORDS: Readonly<Record<string, number>> = {
  addr: 1,
  alpn: 1,
  backup: 0,
  'ca-file': 1,
  check: 0,
  'check-sni': 1,
  'check-ssl': 0,
  ciphers: 1,
  ciphersuites: 1,
  cookie: 1,
  'crl-file': 1,
  crt: 1,
  fall: 1,
  id: 1,
  inter: 1,
  port: 1,
  rise: 1,
  'send-proxy': 0,
  'send-proxy-v2': 0,
  sni: 1,
  ssl: 0,
  'ssl-max-ver': 1,
  'ssl-min-ver': 1,
  verify: 1,
  weight: 1,
};

/** Words of an `add server` command that are neither the renderer's own nor values in their places; a second command. */
export function foreignWords(command: string): string[] {
  const [add, server, path = '', address = '', ...rest] = command.split(' ');
  if (`${add} ${server}` !== 'add server' || /[;\n]/.test(command)) return [command];
  const foreign = [path, address].filter((word) => !/^[\w.:[\]/-]+$/.test(word));
  while (rest.length > 0) {
    const word = rest.shift() ?? '';
    const values = SERVER_WORDS[word];
    if (values === undefined) foreign.push(word);
    rest.splice(0, values ?? 0);
  }
  return foreign;
}

export interface Verdict {
  readonly valid: boolean;
  readonly blamed: readonly ObjectRef[];
  readonly output: string;
}

export interface Judge {
  readonly settings: RenderSettings;
  /** Writes the configuration, with the files it names, and asks haproxy. */
  judge(layout: Layout): Verdict;
}

export function createJudge(directory: string, certificate: Issued): Judge {
  const tlsDirectory = join(directory, 'tls');
  const settings: RenderSettings = {
    workerSocket: '/run/slipstream/x.w1',
    peerSocket: '/run/slipstream/x.p',
    serverStateFile: join(directory, 'x.state'),
    maxConnections: 1000,
    threads: 1,
    metricsSocket: '/run/slipstream/x.m',
    logSocket: '/run/slipstream/x.l',
    tlsDirectory,
    keptDirectory: directory,
    napScript: join(directory, 'nap.lua'),
  };
  writeFileSync(join(directory, 'nap.lua'), NAP_SCRIPT);
  writeFileSync(settings.serverStateFile, '1\n');
  return {
    settings,
    judge(layout) {
      for (const { path, kind } of tlsFiles(layout)) {
        const file = join(tlsDirectory, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, kind === 'certificate' ? bundleOf(certificate) : certificate.pem);
      }
      for (const backend of layout.backends) writeFileSync(keptFile(directory, backend), '');
      const rendered = renderConfig(layout, settings);
      return ask(join(directory, 'haproxy.cfg'), rendered);
    },
  };
}

function ask(path: string, rendered: Rendered): Verdict {
  writeFileSync(path, rendered.text);
  try {
    execFileSync('haproxy', ['-c', '-f', path], { stdio: 'pipe' });
    return { valid: true, blamed: [], output: '' };
  } catch (error) {
    const { stderr } = error as { readonly stderr: Buffer };
    const output = stderr.toString();
    return { valid: false, blamed: readAlerts(output, rendered).byObject.map(({ object }) => object), output };
  }
}
