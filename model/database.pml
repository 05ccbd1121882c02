/* Statements. Each is one step: PostgreSQL runs it whole or not at all. */

/* packages/outbox/lanes.ts register: a new row, under an id that was never used. */
inline register(r) {
  i = r;
  do :: i < ROWS && row[i] > 0 -> i = (i < RELAYS -> RELAYS : i + 1) :: else -> break od;
  assert(i < ROWS);
  writeRow(i);
  rowOf[r] = i + 1;
#ifdef PROMOTION
  oldKeep = oldKeep & ~BIT(i);
#endif
  i = 0
}

/* A row that is written is one that no relay has seen unchanged. */
inline writeRow(n) {
  row[n] = LEASE + 1;
  for (j : 0 .. RELAYS - 1) { watch[j * ROWS + n] = 0 }
  j = 0
}

/* A deleted row frees its lanes (ON DELETE SET NULL), and the relay finds no row of its id any more. */
inline deleteRow(n) {
  row[n] = 0;
  for (j : 0 .. RELAYS - 1) {
    watch[j * ROWS + n] = 0;
    if :: rowOf[j] == n + 1 -> rowOf[j] = 0 :: else fi
  }
  for (j : 0 .. LANES - 1) {
    if :: owner[j] == n + 1 -> owner[j] = 0 :: else fi
  }
  j = 0
}

/* packages/outbox/lanes.ts deleteExpiredRelays: a lease that has run out, unless this relay saw the clock jump ahead less than
   a lease ago (packages/outbox/lease-clock.ts createClockWatch): every lease looks like that then.
   packages/outbox/lanes.ts deleteSilentRelay: a lease that ends later than now + its length, once seen unchanged for one length of this
   relay's own clock (packages/outbox/lease-clock.ts createSilenceWatch). */
#ifdef FORWARD_JUMP_BELIEVED
#define RAN_OUT(r, n) (row[n] == 1)
#else
#define RAN_OUT(r, n) (row[n] == 1 && jumpedAhead[r] == 0)
#endif
#ifdef FUTURE_LEASE_BELIEVED
#define IS_DEAD(r, n) RAN_OUT(r, n)
#else
#ifdef FUTURE_LEASE_TAKEN_AT_ONCE
#define IS_DEAD(r, n) (RAN_OUT(r, n) || row[n] > LEASE + 1)
#else
#define IS_DEAD(r, n) (RAN_OUT(r, n) || (row[n] > LEASE + 1 && watch[r * ROWS + n] > LEASE))
#endif
#endif
inline deleteDeadRelays(r) {
  for (i : 0 .. ROWS - 1) {
    if
    :: IS_DEAD(r, i) ->
      y = RELAYS;
      for (j : 0 .. RELAYS - 1) { if :: rowOf[j] == i + 1 -> y = j :: else fi }
      printf("@ deletesRelay %d %d\n", r, (y < RELAYS -> y : 9)); y = 0; j = 0;
      deleteRow(i)
    :: else ->
      if :: row[i] > LEASE + 1 && watch[r * ROWS + i] == 0 -> watch[r * ROWS + i] = 1 :: else fi
    fi
  }
  i = 0
}

/* packages/outbox/settle.ts settleAccepted: what the broker accepted, by id and event id and redriven_count. */
inline settleAccepted(r) {
  x = accepted[r];
#ifdef SETTLE_UP_TO_LAST_ID
  do :: y < x -> y = 2 * y + 1 :: else -> break od;
  x = x | (y & pending & LANES_OF(x)); y = 0;
#endif
#ifdef SETTLE_BY_ID
  x = x | ((x & SAME_ID) -> SAME_ID : 0);
#endif
#ifndef OLD_ANSWER_SETTLES_RESEND
  for (i : 0 .. EVENTS - 1) {
    if :: (x & BIT(i)) && seen[r * EVENTS + i] / 8 != tries[i] / 8 -> x = x & ~BIT(i) :: else fi
  }
  i = 0;
#endif
  x = x & (pending | failed | dead);
  MUST(SETTLED, (x & ~sent) == 0);
  pending = pending & ~x; failed = failed & ~x; dead = dead & ~x; notDue = notDue & ~x; farDue = farDue & ~x;
  processed = processed | x;
  x = 0
}

/* packages/outbox/settle.ts settleRejected: left alone if another relay settled it or an operator redrove it since. */
#ifdef REJECTION_UNDOES_SETTLEMENT
#define MAY_REJECT(r, e) (pending | failed | processed) & BIT(e)
#else
#ifdef REJECTION_UNDOES_REDRIVE
#define MAY_REJECT(r, e) ((pending | failed) & BIT(e)) && seen[r * EVENTS + e] % 8 == tries[e] % 8
#else
#define MAY_REJECT(r, e) ((pending | failed) & BIT(e)) && seen[r * EVENTS + e] == tries[e]
#endif
#endif
inline settleRejected(r) {
  for (i : 0 .. EVENTS - 1) {
    if
    :: (rejected[r] & BIT(i)) && (MAY_REJECT(r, i)) ->
      MUST(SETTLED, (processed & BIT(i)) == 0);
      pending = pending & ~BIT(i); failed = failed & ~BIT(i); notDue = notDue & ~BIT(i); farDue = farDue & ~BIT(i);
      tries[i] = (seen[r * EVENTS + i] & 7) + 1 + (tries[i] & 248);
      if
      :: (unacceptable[r] & BIT(i)) || (tries[i] & 7) >= MAX_ATTEMPTS ->
        printf("@ dead %d\n", BIT(i));
        MUST(VERDICT, refusals[i] >= MAX_ATTEMPTS);
        dead = dead | BIT(i); outOfOrder = outOfOrder | BIT(i)
      :: else -> failed = failed | BIT(i); notDue = notDue | BIT(i)
      fi
    :: else
    fi
  }
  i = 0
}

/* packages/outbox/redrive.ts redrive, and resend: pending again, with all attempts before it, and counted. */
inline setPending(n) {
  dead = dead & ~BIT(n); processed = processed & ~BIT(n); pending = pending | BIT(n);
  tries[n] = (tries[n] & 248) + 8;
  refusals[n] = 0
}
