import type { Logger } from 'pino';
import { interfaceBlock, packetBlock, sectionHeader } from '../../domain/pcapng';
import type { CaptureChunk, CaptureEnd, StartCapture } from '../../protocol/messages';
import type { LoadBalancerSpec } from '../../protocol/spec';
import { complaintOf, ownTraffic, within } from './filter';
import { startTcpdump, type Tap, type Tcpdump } from './tcpdump';

export interface CapturesDeps {
  readonly log: Logger;
  /** What is served of a load balancer; null: nothing. */
  spec(loadBalancerId: string): LoadBalancerSpec | null;
  /** The interfaces its traffic goes through. */
  taps(spec: LoadBalancerSpec): readonly Tap[];
}

export type CaptureMessage = CaptureChunk | CaptureEnd;

/** Captures of this engine: each ends by itself, and all of them with the connection they were asked for on. */
export interface Captures {
  /** Answers by chunks and one end; asked for again, it changes nothing. Never throws. */
  start(request: StartCapture, send: (message: CaptureMessage) => void): void;
  stop(captureId: string): void;
  /** Nobody takes what is captured any more. */
  abandon(): void;
  /** As `abandon`; resolves when no tcpdump is left. */
  close(): Promise<void>;
}

/** At a time on one engine. */
const MOST = 8;
/** Bytes gathered before they are sent, and milliseconds after which they are anyway. */
const CHUNK = 128 * 1024;
const PACE = 500;

interface Running {
  stop(): void;
  abandon(): void;
  readonly done: Promise<void>;
}

export function createCaptures(deps: CapturesDeps): Captures {
  const running = new Map<string, Running>();
  const abandon = (): void => {
    for (const one of running.values()) one.abandon();
  };
  return {
    start(request, send) {
      const { captureId } = request;
      if (running.has(captureId)) return;
      if (running.size >= MOST) {
        send(endOf(captureId, { packets: 0, bytes: 0, problem: `${MOST} captures are running on the engine` }));
        return;
      }
      const one = capture(request, deps, send);
      running.set(captureId, one);
      void one.done.finally(() => running.delete(captureId));
    },
    stop: (captureId) => running.get(captureId)?.stop(),
    abandon,
    async close() {
      abandon();
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}

interface Totals {
  packets: number;
  bytes: number;
  problem: string | null;
}

function endOf(captureId: string, { packets, bytes, problem }: Totals): CaptureEnd {
  return { type: 'captureEnd', captureId, packets, bytes, problem };
}

function capture(request: StartCapture, deps: CapturesDeps, send: (message: CaptureMessage) => void): Running {
  const { captureId } = request;
  const file = createFile(request, send);
  const dumps: Tcpdump[] = [];
  let stopped = false;
  const stop = (): void => {
    stopped = true;
    for (const dump of dumps) dump.end();
  };
  const done = (async () => {
    const totals = file.totals;
    try {
      const plan = await planOf(request, deps);
      if ('problem' in plan) totals.problem = plan.problem;
      else if (!stopped) {
        dumps.push(
          ...plan.taps.map((tap) =>
            startTcpdump(tap, plan.filter, {
              packet: (linkType, packet) => {
                if (!file.add({ name: tap.interfaceName, linkType }, packet)) stop();
              },
            }),
          ),
        );
        const timer = setTimeout(stop, request.duration);
        // One that breaks off does not end the others.
        const problems = await Promise.all(dumps.map(({ ended }) => ended));
        clearTimeout(timer);
        totals.problem = problems.find((problem) => problem !== null) ?? null;
      }
    } catch (err) {
      deps.log.error({ err, capture: captureId }, 'a capture broke off');
      totals.problem = err instanceof Error ? err.message : String(err);
    }
    file.close();
    deps.log.info({ capture: captureId, ...totals }, 'a capture is over');
    send(endOf(captureId, totals));
  })();
  deps.log.info(
    { capture: captureId, loadBalancer: request.loadBalancerId, filter: request.filter },
    'a capture begins',
  );
  return {
    stop,
    abandon() {
      file.mute();
      stop();
    },
    done,
  };
}

type Plan = { readonly problem: string } | { readonly taps: readonly Tap[]; readonly filter: string };

async function planOf({ loadBalancerId, filter }: StartCapture, deps: CapturesDeps): Promise<Plan> {
  const spec = deps.spec(loadBalancerId);
  if (spec === null) return { problem: 'the engine does not serve the load balancer' };
  const complaint = await complaintOf(filter);
  if (complaint !== null) return { problem: `the filter is refused: ${complaint}` };
  const taps = deps.taps(spec);
  if (taps.length === 0) return { problem: 'the engine has no interface for the load balancer yet' };
  return { taps, filter: within(ownTraffic(spec), filter) };
}

/** The pcapng that is being sent, and its bounds. */
function createFile(request: StartCapture, send: (message: CaptureMessage) => void) {
  const { captureId, packets: mostPackets, size } = request;
  const totals: Totals = { packets: 0, bytes: 0, problem: null };
  const interfaces: string[] = [];
  let gathered: Buffer[] = [];
  let gatheredBytes = 0;
  let sequence = 0;
  let muted = false;
  const flush = (): void => {
    if (gatheredBytes === 0) return;
    const data = Buffer.concat(gathered).toString('base64');
    gathered = [];
    gatheredBytes = 0;
    if (!muted) send({ type: 'captureChunk', captureId, sequence, data });
    sequence += 1;
  };
  const write = (bytes: Buffer): void => {
    gathered.push(bytes);
    gatheredBytes += bytes.length;
    totals.bytes += bytes.length;
    if (gatheredBytes >= CHUNK) flush();
  };
  const pace = setInterval(flush, PACE);
  return {
    totals,
    /** False when the file is full. */
    add(at: { name: string; linkType: number }, packet: { at: bigint; originalLength: number; data: Buffer }): boolean {
      const known = interfaces.indexOf(at.name);
      const head = totals.bytes === 0 ? [sectionHeader()] : [];
      if (known < 0) head.push(interfaceBlock(at));
      const interfaceIndex = known < 0 ? interfaces.length : known;
      const bytes = Buffer.concat([...head, packetBlock({ ...packet, interfaceIndex })]);
      if (totals.packets >= mostPackets || totals.bytes + bytes.length > size) return false;
      if (known < 0) interfaces.push(at.name);
      write(bytes);
      totals.packets += 1;
      return totals.packets < mostPackets;
    },
    mute() {
      muted = true;
    },
    close() {
      clearInterval(pace);
      flush();
    },
  };
}
