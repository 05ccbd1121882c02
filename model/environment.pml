/* Everything that happens to a relay: time, the broker, writers, the consumer, and faults, of which FAULTS may happen. */
#ifndef WRITTEN
#define WRITTEN ALL
#endif
#ifndef AFTER_PROMOTION
#define AFTER_PROMOTION 0
#endif

/* A process that ends forgets; what it had sent may still arrive. */
inline die(r) {
  ghosts = ghosts | sending[r];
  life[r] = DOWN; pc[r] = FREE; rowOf[r] = 0; deadline[r] = 0; askedLeft[r] = 0; owned[r] = 0; leaving[r] = 0;
  due[r] = 0; stopping[r] = 0; clock[r] = UNSEEN; jumpedAhead[r] = 0;
  waiting[r] = 0; sending[r] = 0; judged[r] = 0; accepted[r] = 0; rejected[r] = 0;
  for (i : 0 .. ROWS - 1) { watch[r * ROWS + i] = 0 }
#ifdef CLAIM_AFTER_LAST_ID
  lastId[r] = 0;
#endif
  i = 0;
  tidyUp(r)
}

/* Any element of a set that is not empty. */
inline pick(e, set) {
  e = 1;
  do
  :: ((set) & ~(2 * e - 1)) > 0 -> e = 2 * e
  :: (set) & e -> break
  :: else -> e = 2 * e
  od
}

inline refuse(r, forGood) {
  sending[r] = sending[r] & ~picked;
#ifdef FAILED_ENTRIES_IGNORED
  accepted[r] = accepted[r] | picked;
#else
  rejected[r] = rejected[r] | picked; unacceptable[r] = unacceptable[r] | forGood;
#endif
  for (i : 0 .. EVENTS - 1) {
    if
    :: BIT(i) == picked && (forGood) -> refusals[i] = MAX_ATTEMPTS
    :: BIT(i) == picked && !(forGood) && refusals[i] < MAX_ATTEMPTS -> refusals[i]++
    :: else
    fi
  }
  i = 0; picked = 0;
  tidyUp(r)
}

inline judge(r) {
  pick(picked, sending[r]);
  if
  :: d_step { true -> printf("@ accepts %d %d\n", r, picked); sending[r] = sending[r] & ~picked; judged[r] = judged[r] | picked; brokerAccepts(picked); forgetSettled(); picked = 0 }
  :: d_step { faults > 0 && AWAKE(r) -> faults--; printf("@ outage %d %d\n", r, picked);
      sending[r] = sending[r] & ~picked;
#ifdef OUTAGE_COUNTS_AS_ATTEMPT
      rejected[r] = rejected[r] | picked;
#else
      waiting[r] = waiting[r] | picked;
#endif
      picked = 0; tidyUp(r) }
  :: d_step { faults > 0 && AWAKE(r) -> faults--; printf("@ acceptsUnheard %d %d\n", r, picked);
      sending[r] = sending[r] & ~picked; waiting[r] = waiting[r] | picked; brokerAccepts(picked); picked = 0; tidyUp(r) }
  :: d_step { faults > 0 && AWAKE(r) -> faults--; printf("@ delayed %d %d\n", r, picked);
      sending[r] = sending[r] & ~picked; waiting[r] = waiting[r] | picked; ghosts = ghosts | picked; picked = 0; tidyUp(r) }
#ifdef REFUSALS
  :: d_step { faults > 0 && AWAKE(r) -> faults--; printf("@ refuses %d %d\n", r, picked); refuse(r, 0) }
  :: d_step { faults > 0 && AWAKE(r) -> faults--; printf("@ refusesForGood %d %d\n", r, picked); refuse(r, picked) }
#endif
  fi
}

proctype Broker() {
end:
  do
  :: atomic { sending[0] > 0 -> judge(0) }
#if RELAYS > 1
  :: atomic { sending[1] > 0 -> judge(1) }
#endif
#if RELAYS > 2
  :: atomic { sending[2] > 0 -> judge(2) }
#endif
  :: atomic { ghosts > 0 -> pick(picked, ghosts);
      d_step { printf("@ late %d\n", picked); ghosts = ghosts & ~picked; brokerAccepts(picked); forgetSettled(); picked = 0 } }
  od
}

#define TICKED(v) ((v) > 0 && (v) != FAR -> (v) - 1 : (v))
#define ROW_TICKED(v) ((v) > 1 && (v) != FAR -> (v) - 1 : (v))

#if RELAYS == 1
#define ALL_QUIET QUIET(0)
#else
#if RELAYS == 2
#define ALL_QUIET (QUIET(0) && QUIET(1))
#else
#define ALL_QUIET (QUIET(0) && QUIET(1) && QUIET(2))
#endif
#endif

/* Time passes when every relay that is awake has done what it can: being slow is being frozen, and may happen anywhere. */
proctype Clock() {
end:
  do
  :: d_step { ALL_QUIET ->
      printf("@ tick\n");
      for (i : 0 .. RELAYS - 1) {
        if :: life[i] != DOWN -> due[i] = 1 :: else fi;
#ifdef MONOTONIC_CLOCK_STOPS
        if :: life[i] != FROZEN ->
#endif
        deadline[i] = TICKED(deadline[i]); askedLeft[i] = TICKED(askedLeft[i]); jumpedAhead[i] = TICKED(jumpedAhead[i]);
        if :: ON_THE_WAY(i) && sendAge[i] <= SEND_TIME -> sendAge[i]++ :: else fi;
        for (j : 0 .. ROWS - 1) {
          if :: watch[i * ROWS + j] > 0 && watch[i * ROWS + j] <= LEASE -> watch[i * ROWS + j]++ :: else fi
        }
#ifdef MONOTONIC_CLOCK_STOPS
        :: else fi
#endif
      }
      for (j : 0 .. ROWS - 1) {
        row[j] = ROW_TICKED(row[j]);
#ifdef PROMOTION
        oldRow[j] = ROW_TICKED(oldRow[j]);
#endif
      }
      notDue = 0; i = 0; j = 0 }
  od
}

#ifdef STANDARD_QUEUE
/* packages/inbox/record.ts lockSequences: a consumer that keeps state applies an event only if its sequence is above the last one that it applied. */
inline storeAndApply(e) {
  record(e);
  x = (((e) & KEY0) -> 0 : 1);
#ifdef SEQUENCE_IGNORED
  MUST(STATE_GOES_BACK, (e) >= applied[x]); applied[x] = (e);
#else
  if :: (e) > applied[x] -> applied[x] = (e) :: else fi;
#endif
  x = 0
}

/* packages/inbox/handle-batch.ts deleteHandled, after the store. A standard queue hands over in any order. */
proctype Consumer() {
end:
  do
  :: atomic { inQueue > 0 -> pick(picked, inQueue);
      if
#ifdef DELETE_BEFORE_STORE
      :: d_step { true -> inQueue = inQueue & ~picked; printf("@ deleteHandled %d\n", picked); storeAndApply(picked); picked = 0 }
      :: d_step { faults > 0 -> faults--; inQueue = inQueue & ~picked; printf("@ deleteHandled %d\n@ consumerCrash\n", picked); MUST(LOST, known & picked); picked = 0 }
#else
      :: d_step { true -> storeAndApply(picked); inQueue = inQueue & ~picked; printf("@ deleteHandled %d\n", picked); MUST(LOST, known & picked); picked = 0 }
      :: d_step { faults > 0 -> faults--; storeAndApply(picked); printf("@ consumerCrash\n"); picked = 0 }
#endif
      fi }
  od
}
#endif

#if RELAYS == 1
#define ANY_RELAY(r) r = 0
#else
#if RELAYS == 2
#define ANY_RELAY(r) if :: r = 0 :: r = 1 fi
#else
#define ANY_RELAY(r) if :: r = 0 :: r = 1 :: r = 2 fi
#endif
#endif

#ifdef PROMOTION
inline promote() {
  promoted = 1; printf("@ promote\n");
  lost = committed & ~oldCommitted; rolledBack = rolledBack | open; open = 0; committed = oldCommitted;
  pending = oldPending; processed = oldProcessed; failed = oldFailed; dead = oldDead;
  for (i : 0 .. EVENTS - 1) { tries[i] = oldTries[i]; oldTries[i] = 0 }
  for (i : 0 .. RELAYS - 1) {
    if :: rowOf[i] > 0 && (oldKeep & BIT(rowOf[i] - 1)) == 0 -> rowOf[i] = 0 :: else fi
  }
  for (i : 0 .. ROWS - 1) {
    if
    :: row[i] != oldRow[i] ->
      row[i] = oldRow[i];
      for (j : 0 .. RELAYS - 1) { watch[j * ROWS + i] = 0 }
    :: else
    fi;
    oldRow[i] = 0
  }
  for (i : 0 .. LANES - 1) { owner[i] = oldOwner[i]; oldOwner[i] = 0 }
  oldPending = 0; oldProcessed = 0; oldFailed = 0; oldDead = 0; oldCommitted = 0; oldKeep = 0; i = 0; j = 0
}
#endif

/* The writer holds the row of a key while its event is written. */
#ifdef KEY_WITHOUT_LOCK
#define LOCKED 0
#else
#define LOCKED open
#endif
#ifdef PROMOTION
#define BEFORE_PROMOTION (promoted == 0)
#else
#define BEFORE_PROMOTION true
#endif
#define WRITABLE (ALL & ~WRITTEN & ~(open | committed | rolledBack | lost))

/* A relay that starts after a jump cannot know of it: the clock jumps only when every relay has seen it before. */
#ifdef JUMP_BEFORE_START
#define MAY_JUMP true
#else
#if RELAYS == 1
#define MAY_JUMP clock[0]
#else
#define MAY_JUMP (clock[0] && clock[1])
#endif
#endif

/* Writers, operators and faults: nothing here ever has to happen. */
proctype World() {
end:
  do
  /* packages/outbox/append.ts append: ids are taken in their order; of one key only under the lock of its row. */
  :: d_step { (WRITABLE & ~AFTER_PROMOTION) > 0 && BEFORE_PROMOTION && (KEYS_OF(LOWEST(WRITABLE)) & LOCKED) == 0 ->
      x = LOWEST(WRITABLE); open = open | x; printf("@ append %d\n", x); x = 0 }
  :: atomic { open > 0 -> pick(picked, open);
      d_step { printf("@ commit %d\n", picked); open = open & ~picked; committed = committed | picked; pending = pending | picked; picked = 0 } }
  :: atomic { open > 0 && faults > 0 -> pick(picked, open);
      d_step { faults--; printf("@ rollback %d\n", picked); open = open & ~picked; rolledBack = rolledBack | picked; picked = 0 } }
#ifdef PROMOTION
  :: d_step { (lost & SAME_ID) > 0 && (WRITABLE & AFTER_PROMOTION) > 0 ->
      x = WRITABLE & AFTER_PROMOTION; committed = committed | x; pending = pending | x; printf("@ appendAgain %d\n", x); x = 0 }
  :: d_step { lagging == 0 && faults > 0 ->
      faults--; lagging = 1; printf("@ lags\n");
      oldPending = pending; oldProcessed = processed; oldFailed = failed; oldDead = dead; oldCommitted = committed; oldKeep = 255;
      for (i : 0 .. EVENTS - 1) { oldTries[i] = tries[i] }
      for (i : 0 .. ROWS - 1) { oldRow[i] = row[i] }
      for (i : 0 .. LANES - 1) { oldOwner[i] = owner[i] }
      i = 0 }
  :: d_step { lagging && promoted == 0 -> promote() }
#endif
#ifdef CRASHES
  :: atomic { faults > 0 -> ANY_RELAY(who);
      if :: d_step { life[who] != DOWN -> faults--; printf("@ crash %d\n", who); die(who); who = 0 }
      :: d_step { life[who] == DOWN -> who = 0 } fi }
#endif
#ifdef FREEZES
  :: atomic { faults > 0 -> ANY_RELAY(who);
      if :: d_step { AWAKE(who) -> faults--; printf("@ freeze %d\n", who); life[who] = FROZEN; who = 0 }
      :: d_step { !AWAKE(who) -> who = 0 } fi }
#endif
#ifdef STOPS
  :: atomic { faults > 0 -> ANY_RELAY(who);
      if :: d_step { AWAKE(who) && stopping[who] == 0 -> faults--; printf("@ stop %d\n", who); stopping[who] = 1; waiting[who] = 0; tidyUp(who); who = 0 }
      :: d_step { !(AWAKE(who) && stopping[who] == 0) -> who = 0 } fi }
#endif
#ifdef CLOCK_BACK
  :: d_step { faults > 0 ->
      faults--; printf("@ clockBack\n");
      for (i : 0 .. ROWS - 1) { if :: row[i] > 0 -> row[i] = FAR :: else fi }
#ifdef DUE_TIME_BELIEVED
      /* Without packages/outbox/claim.ts mendDueTimes. */
      farDue = failed;
#endif
      i = 0 }
  :: d_step { faults > 0 ->
      faults--; printf("@ clockBackALittle\n");
      for (i : 0 .. ROWS - 1) { if :: row[i] > 0 && row[i] < FAR - 1 -> row[i] = row[i] + 1 :: else fi }
      i = 0 }
#endif
#ifdef CLOCK_FORWARD
  :: d_step { faults > 0 && MAY_JUMP ->
      faults--; printf("@ clockForward\n");
      for (i : 0 .. ROWS - 1) { if :: row[i] > 0 -> row[i] = 1 :: else fi }
      for (i : 0 .. RELAYS - 1) { if :: clock[i] == IN_STEP -> clock[i] = JUMPED :: else fi }
      notDue = 0; farDue = 0; i = 0 }
#endif
#ifdef CLOCK_FORWARD
  :: d_step { faults > 0 ->
      faults--; printf("@ clockForwardALittle\n");
      for (i : 0 .. ROWS - 1) { if :: row[i] > 1 && row[i] != FAR -> row[i] = row[i] - 1 :: else fi }
      i = 0 }
#endif
#ifdef REDRIVES
  :: d_step { faults > 0 && dead > 0 ->
      faults--; x = LOWEST(dead); printf("@ redrive %d\n", x);
      for (i : 0 .. EVENTS - 1) { if :: BIT(i) == x -> setPending(i) :: else fi }
      i = 0; x = 0 }
#endif
#ifdef RESENDS
  /* The consumer's database was restored to an earlier state: it does not know the event any more. */
  :: d_step { faults > 0 && processed > 0 ->
      faults--; x = LOWEST(processed); printf("@ resend %d\n", x);
      for (i : 0 .. EVENTS - 1) { if :: BIT(i) == x -> setPending(i) :: else fi }
      known = known & ~x; sent = sent & ~x; outOfOrder = outOfOrder | x; i = 0; x = 0 }
#endif
  od
}
