# What hydra-booster does to its tables, for tests: makes one, writes and reads it with AWS's own library.
#
#   old.py ENDPOINT make TABLE             a table of its provider store
#   old.py ENDPOINT make-values TABLE      a table of its datastore
#   old.py ENDPOINT put TABLE              lines of KEY TTL PROVIDER (hexadecimal, seconds, hexadecimal)
#   old.py ENDPOINT get TABLE KEY          prints the providers that it finds, the newest first
#   old.py ENDPOINT put-value TABLE KEY RECORD
#   old.py ENDPOINT get-value TABLE KEY    prints the record
import base64
import sys

import boto3
from botocore.exceptions import ClientError

endpoint, command, table, *rest = sys.argv[1:]
client = boto3.client(
    "dynamodb",
    endpoint_url=endpoint,
    region_name="us-east-1",
    aws_access_key_id="test",
    aws_secret_access_key="test",
)


def make(key, types):
    client.create_table(
        TableName=table,
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 10, "WriteCapacityUnits": 10},
        KeySchema=[{"AttributeName": name, "KeyType": part} for name, part in key],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in types],
    )


def put(key, ttl, provider):
    item = {"key": {"B": bytes.fromhex(key)}, "ttl": {"N": ttl}, "prov": {"B": bytes.fromhex(provider)}}
    try:
        client.put_item(
            TableName=table,
            Item=item,
            ConditionExpression="attribute_not_exists(#k) AND attribute_not_exists(#t)",
            ExpressionAttributeNames={"#k": "key", "#t": "ttl"},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise


def get(key):
    answer = client.query(
        TableName=table,
        KeyConditionExpression="#k = :key",
        ExpressionAttributeNames={"#k": "key"},
        ExpressionAttributeValues={":key": {"B": bytes.fromhex(key)}},
        ScanIndexForward=False,
    )
    for item in answer["Items"]:
        print(item["prov"]["B"].hex())


def name(key):
    return {"S": "/" + base64.b32encode(bytes.fromhex(key)).decode().rstrip("=")}


if command == "make":
    make([("key", "HASH"), ("ttl", "RANGE")], [("key", "B"), ("ttl", "N")])
elif command == "make-values":
    make([("DSKey", "HASH")], [("DSKey", "S")])
elif command == "put":
    for line in sys.stdin:
        put(*line.split())
elif command == "get":
    get(*rest)
elif command == "put-value":
    record = bytes.fromhex(rest[1])
    item = {"DSKey": name(rest[0]), "Value": {"B": record}, "Size": {"N": str(len(record))}}
    client.put_item(TableName=table, Item=item)
elif command == "get-value":
    print(client.get_item(TableName=table, Key={"DSKey": name(rest[0])})["Item"]["Value"]["B"].hex())
else:
    sys.exit(f"unknown: {command}")
