#!/bin/sh
# Talks to a running product-service with curl, shows each request and its answer, and ends non-zero if any answer is
# not what it should be. It deletes what it created.
set -u

BASE_URL=${BASE_URL:-http://127.0.0.1:8080}
# Local answers take milliseconds; one that takes this many seconds is as good as none.
TIMEOUT=10

case "${1:-}" in
  '') ;;
  -h | --help)
    echo "usage: [BASE_URL=$BASE_URL] sh test_api.sh"
    echo "Creates, lists, gets, changes and deletes products, sends bad requests, and checks every answer. Needs curl."
    exit 0
    ;;
  *)
    echo "test_api.sh takes no arguments but --help; the address comes from BASE_URL" >&2
    exit 2
    ;;
esac
command -v curl >/dev/null || { echo "test_api.sh needs curl" >&2; exit 2; }

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
checks=0
failures=0

# call METHOD PATH [more arguments of curl]: sends the request, prints it and its answer.
call() {
  method=$1 path=$2
  shift 2
  : >"$work/headers" && : >"$work/body"
  status=$(curl -sS --max-time "$TIMEOUT" -X "$method" -D "$work/headers" -o "$work/body" -w '%{http_code}' \
    "$@" "$BASE_URL$path" 2>"$work/errors") || status="no answer: $(cat "$work/errors")"
  body=$(cat "$work/body")
  printf '\n%s %s' "$method" "$path"
  for argument in "$@"; do
    case $argument in -*) ;; *) printf '  %s' "$argument" ;; esac
  done
  printf '\n  %s  %s\n' "$status" "$body"
}

# json METHOD PATH BODY [more arguments of curl]
json() {
  method=$1 path=$2 json=$3
  shift 3
  call "$method" "$path" -H 'Content-Type: application/json' "$@" --data-raw "$json"
}

# patch PATH BODY [more arguments of curl]: a JSON merge patch.
patch() {
  path=$1 json=$2
  shift 2
  call PATCH "$path" -H 'Content-Type: application/merge-patch+json' "$@" --data-raw "$json"
}

# result TEXT: the verdict of the command before it.
result() {
  if [ "$?" -eq 0 ]; then outcome='ok'; else outcome='NOT OK' failures=$((failures + 1)); fi
  checks=$((checks + 1))
  printf '    %s: %s\n' "$outcome" "$1"
}

expect_status() { [ "$status" = "$1" ]; result "the status is $1"; }
expect_body() { case $body in *"$1"*) true ;; *) false ;; esac; result "the answer has $1"; }
expect_header() { grep -i "^$1:.*$2" "$work/headers" >/dev/null; result "the header $1 has ${2:-a value}"; }
expect_no_header() { ! grep -i "^$1:" "$work/headers" >/dev/null; result "there is no header $1"; }
expect_problem() {
  expect_status "$1"
  expect_header Content-Type application/problem+json
  expect_body "\"status\":$1"
}

# field NAME: the value of the first string field of that name in the answer.
field() { printf '%s' "$body" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" | head -n 1; }
first_id() { printf '%s' "$body" | sed -n 's/^{"id":"\([^"]*\)".*/\1/p'; }

echo "Testing $BASE_URL"

echo; echo '--- create'
json POST /products '{"name":"Green tea","description":"loose leaf","price":4.5}'
expect_status 201
expect_header Location /products/
expect_body '"name":"Green tea"'
expect_body '"price":4.5'
first=$(first_id)
json POST /products '{"name":"Black tea","price":0}'
expect_status 201
expect_body '"description":""'
second=$(first_id)
json POST /products '{"name":"Grüner Tee 🍵","price":9999999999.99}'
expect_status 201
expect_body 'Grüner Tee 🍵'
expect_body '"price":9999999999.99'
third=$(first_id)

echo; echo '--- list, newest first, two a page'
call GET '/products?limit=2'
expect_status 200
expect_body "{\"products\":[{\"id\":\"$third\""
expect_body "\"id\":\"$second\""
token=$(field next_page_token)
[ -n "$token" ]; result 'there is a token for the next page'
call GET /products -G --data-urlencode limit=2 --data-urlencode "token=$token"
expect_status 200
expect_body "{\"products\":[{\"id\":\"$first\""
call GET /products
expect_status 200
expect_body '"next_page_token":'

echo; echo '--- get'
call GET "/products/$first"
expect_status 200
expect_body "\"id\":\"$first\""
expect_header ETag '"1"'
call GET "/products/$first" -H 'If-None-Match: "1"'
expect_status 304
[ -z "$body" ]; result 'the answer is empty'
call GET "/products/$first" -H 'If-None-Match: "0"'
expect_status 200

echo; echo '--- change'
patch "/products/$first" '{"price":5}'
expect_status 200
expect_header ETag '"2"'
expect_body '"name":"Green tea"'
expect_body '"description":"loose leaf"'
expect_body '"price":5,'
expect_body '"version":2'
patch "/products/$first" '{"description":null}' -H 'If-Match: "2"'
expect_status 200
expect_header ETag '"3"'
expect_body '"description":""'
patch "/products/$first" '{"price":6}' -H 'If-Match: "2"'
expect_problem 412
call GET "/products/$first"
expect_header ETag '"3"'
expect_body '"price":5,'
patch "/products/$first" '{"price":-1}'
expect_problem 400
patch "/products/$first" '{"version":9}'
expect_problem 400

echo; echo '--- the same request twice'
key="test-api-$first"
json POST /products '{"name":"Once","price":1}' -H "Idempotency-Key: $key"
expect_status 201
expect_no_header Idempotency-Replayed
once=$(first_id)
answer=$body
json POST /products '{"name":"Once","price":1}' -H "Idempotency-Key: $key"
expect_status 201
expect_header Idempotency-Replayed true
[ "$body" = "$answer" ]; result 'the answer is the first one'
json POST /products '{"name":"Twice","price":1}' -H "Idempotency-Key: $key"
expect_problem 422
call DELETE "/products/$once"
expect_status 204

echo; echo '--- delete'
call DELETE "/products/$first" -H 'If-Match: "2"'
expect_problem 412
call DELETE "/products/$first"
expect_status 204
call GET "/products/$first"
expect_problem 404
call DELETE "/products/$first"
expect_problem 404

echo; echo '--- bad requests'
json POST /products '{"name":"Tea",'
expect_problem 400
json POST /products '{"name":"Tea","price":1,"colour":"green"}'
expect_problem 400
expect_body colour
json POST /products '{"price":1}'
expect_problem 400
expect_body '"errors":['
json POST /products '{"name":"","price":1}'
expect_problem 400
json POST /products '{"name":"Tea","price":-1}'
expect_problem 400
expect_body price
json POST /products '{"name":"Tea","price":1.234}'
expect_problem 400
expect_body price
json POST /products '{"name":"Tea","price":"1"}'
expect_problem 400
expect_body price
call POST /products -H 'Content-Type: text/plain' --data-raw 'Tea, please'
expect_problem 415
call GET '/products?token=made-up'
expect_problem 400
call GET '/products?limit=0'
expect_problem 400
call GET '/products?limit=101'
expect_problem 400
call GET /products/not-an-id
expect_problem 404
call GET /no-such-thing
expect_problem 404
call PUT /products
expect_problem 405
expect_header Allow POST

echo; echo '--- tidy up'
call DELETE "/products/$second"
expect_status 204
call DELETE "/products/$third"
expect_status 204

echo; echo "$checks checks, $failures failed"
[ "$failures" -eq 0 ]
