import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { MonitorSpec } from '../../protocol/spec';
import { socketAddress } from '../haproxy/layout';

/** Where a member is checked. */
export interface CheckTarget {
  readonly address: string;
  readonly port: number;
  readonly monitor: MonitorSpec;
}

/** Milliseconds in which a closed port would have said so. */
const REFUSAL = 1000;
/** Bytes of an answer that are read for its status line. */
const LONGEST_STATUS_LINE = 4096;

/** Runs one check of a member of a UDP pool; true if it passed. Never rejects. */
export function checkMember(target: CheckTarget): Promise<boolean> {
  const timeout = Math.max(1, target.monitor.timeout) * 1000;
  switch (target.monitor.type) {
    case 'UDP-CONNECT':
      return isNotRefused(target, Math.min(timeout, REFUSAL));
    case 'HTTP':
      return answersHttp(target, timeout);
    default:
      return accepts(target, timeout);
  }
}

/** Sends an empty datagram: an ICMP error means down; an answer, or silence until the end, means up. */
function isNotRefused({ address, port }: CheckTarget, patience: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    let timer: NodeJS.Timeout | null = null;
    const conclude = (passed: boolean) => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      socket.removeAllListeners().on('error', () => undefined);
      socket.close();
      resolve(passed);
    };
    socket.once('error', () => conclude(false));
    socket.once('message', () => conclude(true));
    // Without a callback of its own a failure of `send` comes as an error.
    socket.connect(port, address, () => {
      timer = setTimeout(() => conclude(true), patience);
      socket.send('');
    });
  });
}

/** True if a TCP connection comes about. */
function accepts({ address, port }: CheckTarget, timeout: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout });
    const conclude = (passed: boolean) => {
      socket.destroy();
      resolve(passed);
    };
    socket.once('connect', () => conclude(true));
    socket.once('timeout', () => conclude(false));
    socket.once('error', () => conclude(false));
  });
}

/** True if the answer to one request has an expected status. HTTP/1.0 unless the monitor says 1.1, as haproxy does. */
function answersHttp(target: CheckTarget, timeout: number): Promise<boolean> {
  const { address, port, monitor } = target;
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    let answer = '';
    const conclude = (passed: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(passed);
    };
    const timer = setTimeout(() => conclude(false), timeout);
    socket.setEncoding('latin1');
    socket.once('connect', () => socket.write(requestOf(target)));
    socket.on('data', (text: string) => {
      answer += text;
      const status = /^HTTP\/1\.[01] (\d{3})(?:\s|$)/.exec(answer)?.[1];
      if (status !== undefined) conclude(isExpected(Number(status), monitor.expectedCodes ?? '200'));
      else if (answer.length > LONGEST_STATUS_LINE) conclude(false);
    });
    socket.once('end', () => conclude(false));
    socket.once('error', () => conclude(false));
  });
}

function requestOf({ address, port, monitor }: CheckTarget): string {
  const line = `${monitor.httpMethod ?? 'GET'} ${monitor.urlPath ?? '/'}`;
  if (monitor.httpVersion !== 1.1) return `${line} HTTP/1.0\r\n\r\n`;
  const host = monitor.domainName ?? socketAddress(address, port);
  return `${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
}

/** @param codes `ddd`, `ddd-ddd`, or several of these with commas between */
export function isExpected(status: number, codes: string): boolean {
  return codes.split(',').some((part) => {
    const [first = '', last = first] = part.trim().split('-');
    return status >= Number(first) && status <= Number(last);
  });
}
