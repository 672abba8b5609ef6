import { connect } from 'node:net';

/** What BIRD answered: the code of its last line, and all of it without codes. */
export interface Answer {
  readonly code: string;
  readonly lines: readonly string[];
}

const LONGEST = 5000;

/** Asks a BIRD one thing by its control socket, whose protocol birdc speaks. Rejects when there is no answer. */
export function ask(socketPath: string, command: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let text = '';
    let greeted = false;
    const fail = (reason: Error) => {
      socket.destroy();
      reject(reason);
    };
    socket.setTimeout(LONGEST, () => fail(new Error('BIRD does not answer')));
    socket.setEncoding('utf8');
    socket.on('error', fail);
    socket.on('close', () => reject(new Error('BIRD has hung up')));
    socket.on('data', (part: string) => {
      text += part;
      const answer = complete(text);
      if (answer === null) return;
      text = '';
      if (greeted) {
        resolve(answer);
        socket.destroy();
      } else {
        greeted = true;
        socket.write(`${command}\n`);
      }
    });
  });
}

/** Lines are `code-text`, or blank and text for more of the same; the last one is `code text`. */
function complete(text: string): Answer | null {
  if (!text.endsWith('\n')) return null;
  const all = text.slice(0, -1).split('\n');
  const code = /^(\d{4}) /.exec(all.at(-1) ?? '')?.[1];
  if (code === undefined) return null;
  return { code, lines: all.map((line) => (line.startsWith(' ') ? line.slice(1) : line.slice(5))) };
}
