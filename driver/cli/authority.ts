import type { Command } from 'commander';

/** The CA of engines and health-managers. */
export function addAuthorityCommands(program: Command): void {
  const ca = program.command('ca').description('the CA that engines and health-managers prove themselves by');
  ca.command('create')
    .description('makes a CA: ca.pem and ca.key (0600), for [certificates] ca_certificate and ca_private_key')
    .option('--directory <directory>', 'where to; there must be none yet', '.')
    .option('--name <name>', 'common name of its certificate', 'slipstream engines')
    .option('--days <days>', 'how long it is valid', '3650')
    .option('--passphrase-file <file>', 'whose first line encrypts the key: for ca_private_key_passphrase')
    .action(async (flags: CreateFlags) => print(await create(flags)));
  ca.command('show')
    .description('shows the fingerprint that engines are told, and until when the certificate is valid')
    .argument('<certificate>', 'a PEM file')
    .action((file: string) => print(describe(file)));
}

interface CreateFlags {
  readonly directory: string;
  readonly name: string;
  readonly days: string;
  readonly passphraseFile?: string;
}

async function create({ directory, name, days, passphraseFile }: CreateFlags): Promise<string> {
  const { readFileSync } = require('node:fs') as typeof import('node:fs');
  const { createAuthorityFiles } = require('../pki/files') as typeof import('../pki/files');
  if (!/^[1-9]\d{0,4}$/.test(days)) throw new Error(`--days ${days}: expected a number from 1 to 99999`);
  const [passphrase] = passphraseFile === undefined ? [] : readFileSync(passphraseFile, 'utf8').split('\n');
  const { certificate, key } = await createAuthorityFiles(directory, {
    ...{ name, days: Number(days) },
    ...(passphrase && { passphrase }),
  });
  return `${certificate}\n${key}\n${describe(certificate)}`;
}

function describe(file: string): string {
  const { X509Certificate } = require('node:crypto') as typeof import('node:crypto');
  const { readFileSync } = require('node:fs') as typeof import('node:fs');
  const { fingerprintOf } = require('../domain/fingerprint') as typeof import('../domain/fingerprint');
  const certificate = new X509Certificate(readFileSync(file));
  return `SHA-256 ${fingerprintOf(certificate.raw)}\nvalid until ${new Date(certificate.validTo).toISOString()}`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
