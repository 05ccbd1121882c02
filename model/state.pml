/* What is remembered: by the database, by each relay, by the network, by the consumer. Sets of events and of lanes are bit
   masks. Times are what is left of them, in ticks, so that an hour of running needs no more states than a minute. */
#ifndef RELAYS
#define RELAYS 2
#endif
#ifndef EVENTS
#define EVENTS 3
#endif
#ifndef LANES
#define LANES 1
#endif
#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef KEY0
#define KEY0 5
#define KEY1 2
#endif
#ifndef LANE0
#define LANE0 ALL
#define LANE1 0
#endif
#define ALL ((1 << EVENTS) - 1)
/* LEASE_MS, SEND_TIMEOUT_MS and RENEW_MS of the code are 10, 5 and 2 s; a tick is what lies between two renewals. */
#define LEASE 3
#define SEND_TIME 1
#define MAX_ATTEMPTS 2
/* A row for each relay, and one for each process that a fault made leave its row behind. */
#ifdef PROMOTION
#define ROWS (2 * RELAYS + FAULTS)
#else
#ifdef CLOCK_FORWARD
#define ROWS (RELAYS * (FAULTS + 1))
#else
#define ROWS (RELAYS + FAULTS)
#endif
#endif
/* A lease that a clock set back by an hour leaves behind: no tick counts it down. */
#define FAR 9

/* The table events: an event is in one of these sets, or not committed. Per event: attempts + 8 * redriven_count. */
byte pending, processed, failed, dead, tries[EVENTS];
/* next_attempt_at lies ahead, or (after a step of the clock) an hour ahead. */
byte notDue, farDue;
/* The table outbox_relays: 0 no row, 1 expired, 2.. what is left of the lease + 1. The table outbox_lanes: row + 1, or 0. */
byte row[ROWS], owner[LANES];
/* Transactions: id taken and not committed; committed; rolled back; committed and lost by a promotion. */
byte open, committed, rolledBack, lost;

/* A relay: its process, where it stands in `balance`, its lease, and its hold. */
#define UP 0
#define FROZEN 1
#define DOWN 2
#define FREE 0
#define ASKED 1
#define RENEWED 2
#define HEARD 3
byte life[RELAYS], pc[RELAYS], rowOf[RELAYS], deadline[RELAYS], askedLeft[RELAYS], owned[RELAYS], leaving[RELAYS];
bit due[RELAYS], stopping[RELAYS];
byte waiting[RELAYS], sending[RELAYS], judged[RELAYS], accepted[RELAYS], rejected[RELAYS], unacceptable[RELAYS];
byte sendAge[RELAYS], seen[RELAYS * EVENTS];
/* For how many ticks + 1 a relay has seen the row of another one unchanged; 0: not seen since it was written. */
byte watch[RELAYS * ROWS];
/* The database's clock as this process last saw it: not at all, in step with its own clock, or jumped ahead unnoticed; and
   for how long ago that it noticed a jump it deletes no expired lease. */
#define UNSEEN 0
#define IN_STEP 1
#define JUMPED 2
byte clock[RELAYS], jumpedAhead[RELAYS];

/* Requests that outlived their relay's interest in them; messages in a standard queue. */
byte ghosts, inQueue;
/* What the consumer stored; the last sequence that it applied, of each key, as the event's bit. */
byte known, applied[2];
/* Faults that may still happen. */
byte faults = FAULTS;

/* For the promises only: accepted by the broker (since the last resend); refused (since the last redrive), how often;
   dead or resent at some time, and so out of order by an operator's will. */
byte sent, refusals[EVENTS], outOfOrder;

#ifdef PROMOTION
/* What the standby has, once it lags; then `promoted`. */
bit lagging, promoted;
byte oldPending, oldProcessed, oldFailed, oldDead, oldCommitted, oldTries[EVENTS], oldRow[ROWS], oldOwner[LANES], oldKeep;
#endif
#ifdef CLAIM_AFTER_LAST_ID
byte lastId[RELAYS];
#endif

/* Scratch of one step; every step leaves it 0, so that it adds no states. */
byte i, j, x, y, z, picked, who;

#define BIT(n) (1 << (n))
#define LOWEST(set) ((set) & -(set))
#define KEYS_OF(set) ((((set) & KEY0) -> KEY0 : 0) | (((set) & KEY1) -> KEY1 : 0))
#define LANES_OF(set) ((((set) & LANE0) -> LANE0 : 0) | (((set) & LANE1) -> LANE1 : 0))
#define EVENTS_OF(lanes) ((((lanes) & 1) -> LANE0 : 0) | (((lanes) & 2) -> LANE1 : 0))
#define EARLIER(e) (KEYS_OF(e) & ((e) - 1))
#define HELD(r) (waiting[r] | ON_THE_WAY(r) | accepted[r] | rejected[r])
#define ON_THE_WAY(r) (sending[r] | judged[r])
#define AWAKE(r) (life[r] == UP)

/* packages/outbox/hold.ts createHold: of each key the first, and only while no other of the key is on its way or rejected. */
#ifdef TWO_OF_A_KEY_IN_FLIGHT
#define READY(r) (waiting[r])
#else
#define BUSY(r) KEYS_OF(ON_THE_WAY(r) | rejected[r])
#define READY(r) ((LOWEST(waiting[r] & KEY0) | LOWEST(waiting[r] & KEY1)) & ~BUSY(r))
#endif

/* packages/outbox/lease.ts createLease: maySend and readable. */
#ifdef NO_LEASE_CHECK
#define MAY(r) EVENTS_OF(owned[r])
#else
#ifdef SEND_MAY_OUTLIVE_LEASE
#define MAY(r) ((deadline[r] > 0) -> EVENTS_OF(owned[r]) : 0)
#else
#define MAY(r) ((deadline[r] > SEND_TIME) -> EVENTS_OF(owned[r]) : 0)
#endif
#endif
#define READABLE(r) ((deadline[r] > SEND_TIME) -> EVENTS_OF(owned[r] & ~leaving[r]) : 0)

/* packages/outbox/claim.ts claimPending: by status, not held, no failed event of the key. */
#ifdef FAILED_BLOCKS_NO_KEY
#define BLOCKED 0
#else
#define BLOCKED KEYS_OF(failed)
#endif
#ifdef PUBLISH_BEFORE_COMMIT
#define READS (pending | open)
#else
#define READS pending
#endif
#ifdef CLAIM_AFTER_LAST_ID
#define UNREAD(r) (~(2 * lastId[r] - 1) | ((lastId[r] == 0) -> ALL : 0))
#else
#define UNREAD(r) ALL
#endif
#define CLAIM(r) (READS & READABLE(r) & ~HELD(r) & ~BLOCKED & UNREAD(r))
/* packages/outbox/claim.ts claimDue: due, not held, the oldest failed of its key. */
#define CLAIM_DUE(r) (failed & ~notDue & ~farDue & READABLE(r) & ~HELD(r) & (LOWEST(failed & KEY0) | LOWEST(failed & KEY1)))

#ifdef REDRIVES
#define FINAL 0
#else
#define FINAL dead
#endif

/* Nothing to do before time passes. A send is over by then or was given up: it may take SEND_TIME at most. */
#define QUIET(r) (life[r] != UP || (pc[r] == FREE && (due[r] == 0 || stopping[r]) && judged[r] == 0 && accepted[r] == 0 && \
  rejected[r] == 0 && (sending[r] == 0 || sendAge[r] < SEND_TIME) && \
  ((stopping[r] && sending[r] > 0) || (stopping[r] == 0 && READY(r) == 0 && CLAIM(r) == 0 && CLAIM_DUE(r) == 0))))

/* Copies of attempts and redriven_count that came with the claim. */
inline remember(r, set) {
  for (i : 0 .. EVENTS - 1) {
    if :: (set) & BIT(i) -> seen[r * EVENTS + i] = tries[i] :: else fi
  }
  i = 0
}

/* Numbers of what is settled for good, and late copies of what the consumer knows, change nothing any more. */
inline forgetSettled() {
#ifndef RESENDS
#ifndef NO_DUPLICATE_CHECK
  ghosts = ghosts & ~known;
#endif
  for (i : 0 .. EVENTS - 1) {
    if
    :: (processed | FINAL) & BIT(i) -> tries[i] = 0; refusals[i] = 0
    :: else
    fi
  }
#endif
  i = 0
}

/* What is not held needs no copy: fewer states that differ in nothing. */
inline tidyUp(r) {
  for (i : 0 .. EVENTS - 1) {
    if :: HELD(r) & BIT(i) :: else -> seen[r * EVENTS + i] = 0 fi
  }
  i = 0;
  unacceptable[r] = unacceptable[r] & rejected[r];
  forgetSettled();
  if :: ON_THE_WAY(r) :: else -> sendAge[r] = 0 fi
}
