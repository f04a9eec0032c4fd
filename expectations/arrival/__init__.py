"""Arrival checks: is a delivery like the ones before it?"""
