import { describeRows } from './describeRows';
import { TABLE } from './table';

describeRows('datagrams and metrics, and what is refused', TABLE.other, { vipCidr: '127.118.0.0/24' });
