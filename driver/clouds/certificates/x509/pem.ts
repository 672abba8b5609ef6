/** One block of a PEM text. */
export interface PemBlock {
  /** What stands after BEGIN: `CERTIFICATE`, `PRIVATE KEY`, `X509 CRL`, ... */
  readonly label: string;
  /** The block as it stands. */
  readonly text: string;
  /** The decoded content; of no use where headers announce encryption. */
  readonly der: Buffer;
}

const BEGIN = '-----BEGIN ';

/** The blocks of a text, whatever stands between them; none for a payload that is no PEM. */
export function splitPem(payload: Buffer): PemBlock[] {
  const text = payload.toString('latin1');
  const blocks: PemBlock[] = [];
  let from = text.indexOf(BEGIN);
  while (from >= 0) {
    const block = readBlock(text, from);
    if (block) blocks.push(block);
    from = text.indexOf(BEGIN, from + (block?.text.length ?? BEGIN.length));
  }
  return blocks;
}

function readBlock(text: string, from: number): PemBlock | undefined {
  const labelEnd = text.indexOf('-----', from + BEGIN.length);
  if (labelEnd < 0) return undefined;
  const label = text.slice(from + BEGIN.length, labelEnd);
  const footer = `-----END ${label}-----`;
  const end = label.length > 64 ? -1 : text.indexOf(footer, labelEnd);
  if (end < 0) return undefined;
  const body = text.slice(labelEnd + 5, end);
  return { label, text: text.slice(from, end + footer.length), der: Buffer.from(body, 'base64') };
}

/** True for a payload that is meant as PEM, readable or not. */
export function looksLikePem(payload: Buffer): boolean {
  return payload.includes(BEGIN);
}

/** A PEM block of the content, with a line end. */
export function toPem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g);
  return `${BEGIN}${label}-----\n${(lines ?? []).join('\n')}\n-----END ${label}-----\n`;
}
