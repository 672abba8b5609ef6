import type { Logger } from 'pino';
import { UnavailableError } from '../../domain/errors';
import { type BusMessage, type CallOptions, RemoteError, type Subscription } from '../port';
import { type ConsumerDeps, consume, type Delivery } from './consumer';
import { isRecord, packContext, type Wire, wrap } from './envelope';
import type { Publisher } from './publisher';
import { controlExchange, hexId, replyQueue } from './topology';

/** Asks servers and waits for what they answer, all on one queue of this process. */
export interface RpcClient {
  /** @throws RemoteError, UnavailableError */
  call(topic: string, message: BusMessage, options: CallOptions): Promise<unknown>;
  close(): Promise<void>;
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** For the log and metrics: answers have no topic. */
const ANSWERS = 'answers';

export function createRpcClient(deps: ConsumerDeps & { readonly publisher: Publisher }): RpcClient {
  const { settings, log, publisher } = deps;
  const waiting = new Map<string, Waiting>();
  const queue = replyQueue(settings);
  let listening: Promise<Subscription> | undefined;
  const listen = () => {
    const handle = async (delivery: Delivery) => takeAnswer(waiting, delivery, log);
    listening ??= consume(deps, { topic: ANSWERS, queues: [queue], handle });
    return listening;
  };
  return {
    async call(topic, message, { timeout = settings.callTimeout, server, ...target }) {
      await listen();
      const messageId = hexId();
      const inner = { ...requestOf(message, target), _msg_id: messageId, _reply_q: queue.name, _timeout: null };
      let timer: NodeJS.Timeout | undefined;
      const answer = new Promise<unknown>((resolve, reject) => {
        waiting.set(messageId, { resolve, reject });
        const refuse = () => reject(new UnavailableError(`Nobody answered ${message.method} within ${timeout} ms.`));
        timer = setTimeout(refuse, timeout);
      });
      // A failure to send is told; the answer then is nobody's.
      answer.catch(() => undefined);
      try {
        const key = server === undefined ? topic : `${topic}.${server}`;
        await publisher.send({ exchange: controlExchange(settings), key, body: wrap(inner), expiration: timeout });
        return await answer;
      } finally {
        clearTimeout(timer);
        waiting.delete(messageId);
      }
    },
    async close() {
      for (const { reject } of waiting.values()) reject(new UnavailableError('The message bus is closed.'));
      await (await listening)?.close();
    },
  };
}

/** The inner object of a cast or call. */
export function requestOf({ method, args }: BusMessage, { namespace, version }: CallOptions, context: Wire = {}): Wire {
  return {
    method,
    args,
    ...(namespace !== undefined && { namespace }),
    ...(version !== undefined && { version }),
    ...packContext(context),
    _unique_id: hexId(),
  };
}

function takeAnswer(waiting: ReadonlyMap<string, Waiting>, { inner }: Delivery, log: Logger): void {
  const { _msg_id: messageId, result = null, failure, ending } = inner;
  const caller = waiting.get(String(messageId));
  if (!caller) log.info({ messageId }, 'an answer that nobody waits for was dropped');
  else if (typeof failure === 'string') caller.reject(toRemoteError(failure));
  else if (ending !== false) caller.resolve(result);
}

function toRemoteError(failure: string): RemoteError {
  try {
    const described: unknown = JSON.parse(failure);
    if (isRecord(described)) return new RemoteError(String(described['class']), String(described['message']));
  } catch {
    // Not JSON: told as it is.
  }
  return new RemoteError('Exception', failure);
}
